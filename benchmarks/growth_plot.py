"""Pages over sizes as a picture for light and dark, on scales of powers of ten."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_LEFT, _TOP, _WIDTH, _HEIGHT, _NAMES = 70, 30, 420, 360, 260  # pixels
_GROWS = 3
_NOTABLE = 100
_STYLE = """<style>
text { font: 12px sans-serif; fill: #222 }
.small { font-size: 9px; fill: #666 }
.grid { stroke: #ddd }
.flat { stroke: #8aa; fill: none; opacity: .55 }
.grown { stroke: #c2410c; fill: none; stroke-width: 2 }
.back { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd }
  .small { fill: #999 }
  .grid { stroke: #333 }
  .grown { stroke: #fb923c }
  .back { fill: #14171a }
}
</style>"""


def svg(
    pages: Mapping[str, Sequence[float]], sizes: Sequence[int], caption: str
) -> str:
    """Draw a line for each query; those that grow stand out, with their names."""
    high = math.ceil(math.log10(max(map(max, pages.values()))))

    def across(rows: int) -> float:
        span = math.log10(sizes[-1] / sizes[0])
        return round(_LEFT + _WIDTH * math.log10(rows / sizes[0]) / span, 1)

    def down(value: float) -> float:
        share = math.log10(max(value, 1)) / high
        return round(_TOP + _HEIGHT * (1 - share), 1)

    right, bottom = _LEFT + _WIDTH, _TOP + _HEIGHT
    body = ['<rect class="back" width="100%" height="100%"/>']
    for power in range(high + 1):
        y = down(10**power)
        body.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
        body.append(_text(8, y + 4, f"{10**power:,}"))
    for rows in sizes:
        x = across(rows)
        body.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}"/>')
        body.append(_text(x - 24, bottom + 18, f"{rows:,}"))
    names: list[tuple[float, str]] = []
    for name, of in sorted(pages.items(), key=lambda one: one[1][-1]):
        points = " ".join(
            f"{across(rows)},{down(value)}"
            for rows, value in zip(sizes, of, strict=True)
        )
        grown = grows(of)
        kind = "grown" if grown else "flat"
        body.append(f'<polyline class="{kind}" points="{points}"/>')
        if grown:
            names.append((down(of[-1]), f"{name} {of[-1]:,}"))
    y = math.inf
    for place, name in sorted(names, reverse=True):
        y = min(place, y - 14)
        body.append(_text(right + 8, y + 4, name))
    body.append(
        _text(
            _LEFT,
            bottom + 36,
            "pages that a query touches, over rows in the largest tables",
        )
    )
    body.append(_text(8, bottom + 54, caption, "small"))
    size = f"0 0 {right + _NAMES} {bottom + 64}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}">'
    return "\n".join([head, _STYLE, *body, "</svg>\n"])


def grows(of: Sequence[float]) -> bool:
    """Tell whether a query touches notably more at the largest size."""
    return of[-1] >= _GROWS * of[0] and of[-1] >= _NOTABLE


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{chosen}>{escape(text)}</text>'
