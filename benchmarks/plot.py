"""The rows as a picture: how long ours takes beside theirs, and where the limit is.

Readable at 800 pixels, in the light and in the dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .figures import Verdict
from .report import Report

_WIDTH = 800
_LABELS = 318  # pixels left of the bars
_BARS = 392  # and for them, up to _MOST
_ROW, _GROUP = 18, 26  # of a row, and of the title above those of one task
_TOP, _BOTTOM = 64, 46
_MOST = 1.75  # times as long as theirs; a longer bar is cut off

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 } .task { font-weight: 600 }
.small { font-size: 10.5px; fill: #59636e }
.number { font-variant-numeric: tabular-nums }
.cut { fill: #ffffff }
.ground { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #59636e }
.reached { fill: #2da44e } .missed { fill: #cf6a10 } .open { fill: #4f81bd }
.limit { stroke: #1f2328; stroke-width: 2 } .spread { stroke: #1f2328; opacity: 0.75 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .ground { fill: #0d1117 } .grid { stroke: #30363d } .one { stroke: #9198a1 }
  .reached { fill: #238636 } .missed { fill: #bd561d } .open { fill: #4f81bd }
  .limit, .spread { stroke: #e6edf3 }
}
"""


def svg(report: Report) -> str:
    """Draw the rows that have a peer, those of one task below each other."""
    groups: dict[str, list[Verdict]] = {}
    for each in report.verdicts:
        if each.theirs:
            groups.setdefault(each.row.task.title, []).append(each)
    body: list[str] = []
    top = _TOP
    for title, verdicts in groups.items():
        body.append(_text(10, top + 18, title, "task"))
        top += _GROUP
        for each in verdicts:
            body += _bar(each, top, judged=report.judged)
            top += _ROW
    height = top + _BOTTOM
    legend = (
        "Time of the store or of a generated function beside its peer's; 1 is as long"
        " as it, shorter is faster."
    )
    marks = (
        "Bar: median of the rounds' ratios; green keeps the limit (tick), orange misses"
        f" it; cut off at {_MOST:g}. Line: the middle half."
    )
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img"'
        ' aria-label="Ratios of the store to its peers, with their limits">'
    )
    head = [
        frame,
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>',
        _text(10, 24, "How long it takes, beside its peers", "title"),
        _text(10, 42, legend, "small"),
        _text(10, 57, marks, "small"),
        *_grid(_TOP + 8, top + 4),
    ]
    foot = _text(10, height - 10, str(report.circumstances), "small")
    return "\n".join([*head, *body, foot, "</svg>\n"])


def _grid(top: int, bottom: int) -> Iterable[str]:
    for quarter in range(8):
        ratio = quarter / 4
        x = _x(ratio)
        kind = "one" if ratio == 1 else "grid"
        yield _line(kind, (x, top), (x, bottom))
        yield _text(x, bottom + 13, f"{ratio:g}", "small", 'text-anchor="middle"')


def _bar(each: Verdict, top: int, *, judged: bool) -> Iterable[str]:
    row = each.row
    value, low, high, limit = each.value, each.low, each.high, row.limit
    if row.kind == "throughput":  # of which the time is the inverse
        value, low, high, limit = 1 / value, 1 / high, 1 / low, 1 / limit
    kind = "open" if not judged else "reached" if each.is_reached else "missed"
    middle = top + _ROW / 2
    yield _text(18, middle + 4, f"{row.ours} / {row.theirs}", "small")
    yield (
        f'<rect class="{kind}" x="{_LABELS}" y="{top + 3}"'
        f' width="{_x(value) - _LABELS:.1f}" height="{_ROW - 6}" rx="1.5"/>'
    )
    if value > _MOST:
        yield _text(_LABELS + _BARS - 12, middle + 4.5, "»", "cut")
    yield _line("spread", (_x(low), middle), (_x(high), middle))
    yield _line("limit", (_x(limit), top + 1), (_x(limit), top + _ROW - 1))
    number = f"{value:.2f} of {limit:.2f}"
    yield _text(_LABELS + _BARS + 8, middle + 4, number, "small number")


def _x(ratio: float) -> float:
    return round(_LABELS + _BARS * min(max(ratio, 0), _MOST) / _MOST, 1)


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: float, y: float, text: str, kind: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" {more}>{escape(text)}</text>'
