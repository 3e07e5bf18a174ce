"""The figures as a picture: a bar to the median, a line over the middle 90 %."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from . import report
from .figures import Figure, figures
from .measuring import Outcome

_LABELS = 230  # pixels left of the bars
_BARS = 470
_NUMBERS = 80  # pixels right of them
_ROW = 22
_GAP = 46  # above the bars of each outcome, for its title
_COLOURS = {"sync": "#3b6ea5", "async": "#5aa469"}


def svg(caption: str, outcomes: Sequence[Outcome]) -> str:
    """Draw all outcomes below each other, each on a scale of its own."""
    body: list[str] = []
    top = 0
    for outcome in outcomes:
        body += _outcome(outcome, top)
        top += _GAP + _ROW * len(outcome.samples)
    height, width = top + _GAP, _LABELS + _BARS + _NUMBERS
    body.append(_text(10, height - 14, caption, 'font-size="9" fill="#666"'))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="white"/>'
    )
    return "\n".join([head, *body, "</svg>\n"])


def _outcome(outcome: Outcome, top: int) -> Iterable[str]:
    drawn = figures(outcome)
    scale = _BARS / max(figure.high for figure in drawn)
    title = f"{report.title(outcome)}: milliseconds, with the middle 90 %"
    yield _text(10, top + _GAP - 14, title, 'font-weight="bold"')
    for row, figure in enumerate(drawn):
        yield from _bar(figure, top + _GAP + _ROW * row, scale)


def _bar(figure: Figure, top: int, scale: float) -> Iterable[str]:
    """Draw one row; `scale` is in pixels a second."""
    middle = top + _ROW // 2
    start, low, median, high = (
        round(_LABELS + scale * seconds, 1)
        for seconds in (0, figure.low, figure.median, figure.high)
    )
    yield _text(10, middle + 4, str(figure.contender))
    yield (
        f'<rect x="{start}" y="{top + 3}" width="{median - start:.1f}"'
        f' height="{_ROW - 6}" fill="{_COLOURS[figure.contender.face]}"/>'
    )
    yield (f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="#222"/>')
    yield _text(_LABELS + _BARS + 8, middle + 4, f"{1000 * figure.median:.3f}")


def _text(x: int, y: int, text: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}" {attributes}>{escape(text)}</text>'
