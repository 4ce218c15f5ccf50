"""The quality-diversity curve as a picture: the baseline's line, and each model as a point beside it."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from ganzoo.text.bench.curve import Point
from ganzoo.text.bench.report import Report

SIZE = (1100, 700)
_BOX = (90, 60, 760, 610)  # of the plot: left, top, right, bottom
_INK, _GREY, _PALE, _WHITE = (30, 30, 30), (120, 120, 120), (225, 225, 225), (255, 255, 255)
_LINE = (31, 119, 180)
_COLOURS = ((214, 39, 40), (44, 160, 44), (255, 127, 14), (148, 103, 189), (140, 86, 75), (23, 190, 207), (227, 119, 194))
_RADIUS = 7
_MARGIN = 0.08  # of the range, on each side
_LEGEND_GAP, _LEGEND_STEP = 24, 44
Span = tuple[float, float]


def draw_curve(report: Report) -> Image.Image:
    """NLL_test to the right, NLL_oracle upwards; both are better where they are lower."""
    shown = [row for row in report.rows if row.kind != "oracle"]
    plot = _Plot(
        _span([row.measures.nll_test.value for row in shown]),
        _span([row.measures.nll_oracle.value for row in shown]),
    )
    plot.axes("NLL_test: coverage (lower is better)", "NLL_oracle: quality (lower is better)")
    plot.text((_BOX[0], 24), f"Quality and diversity against {report.oracle}", 20)
    plot.level(report.entropy.value, "entropy of the oracle")
    sweep = report.curve.points
    plot.line([_place(point) for point in sweep])
    for point in sweep:
        plot.dot(_place(point), _LINE, f"T = {point.temperature:g}")
    plot.legend("MLE, temperature swept", _LINE)
    judged = [row for row in shown if row.kind in ("model", "control")]
    for index, row in enumerate(judged):
        colour = _COLOURS[index % len(_COLOURS)]
        plot.dot(_place(row.point), colour, square=row.kind == "control")
        plot.legend(f"{row.name} ({row.measures.nll_test.value:.2f}, {row.measures.nll_oracle.value:.2f})", colour)
    return plot.image


def _place(point: Point) -> tuple[float, float]:
    return point.nll_test.value, point.nll_oracle.value


def _span(values: Sequence[float]) -> Span:
    """From the lowest to the highest finite value, with some room."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    room = _MARGIN * (high - low) or 0.5
    return low - room, high + room


class _Plot:
    """Axes with everything drawn into them so far."""

    def __init__(self, x: Span, y: Span) -> None:
        self.image = Image.new("RGB", SIZE, _WHITE)
        self._draw = ImageDraw.Draw(self.image)
        self._x, self._y = x, y
        self._entries = 0

    def axes(self, x_label: str, y_label: str) -> None:
        left, top, right, bottom = _BOX
        for value in _ticks(self._x):
            at = self._at((value, self._y[0]))[0]
            self._draw.line([(at, top), (at, bottom)], fill=_PALE)
            self.text((at, bottom + 16), f"{value:g}", 14, anchor="mm")
        for value in _ticks(self._y):
            at = self._at((self._x[0], value))[1]
            self._draw.line([(left, at), (right, at)], fill=_PALE)
            self.text((left - 8, at), f"{value:g}", 14, anchor="rm")
        self._draw.rectangle(_BOX, outline=_INK)
        self.text(((left + right) / 2, bottom + 48), x_label, 16, anchor="mm")
        self._upright(y_label)

    def text(self, at: tuple[float, float], words: str, size: int, anchor: str = "lm") -> None:
        self._draw.text(at, words, fill=_INK, font=ImageFont.load_default(size), anchor=anchor)

    def level(self, value: float, words: str) -> None:
        """A dashed line across the plot, where ``value`` is in it."""
        if not self._y[0] <= value <= self._y[1]:
            return
        left, _, right, _ = _BOX
        at = self._at((self._x[0], value))[1]
        for start in range(left, right, 12):
            self._draw.line([(start, at), (min(start + 6, right), at)], fill=_GREY)
        self.text((left + 8, at - 10), words, 13)

    def line(self, places: Sequence[tuple[float, float]]) -> None:
        if len(places) > 1:
            self._draw.line([self._at(place) for place in places], fill=_LINE, width=2)

    def dot(self, place: tuple[float, float], colour: tuple[int, int, int], words: str = "", *, square: bool = False) -> None:
        if not all(map(math.isfinite, place)):
            return
        x, y = self._at(place)
        box = (x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS)
        (self._draw.rectangle if square else self._draw.ellipse)(box, fill=colour, outline=_WHITE)
        if words:
            self.text((x + _RADIUS + 4, y - _RADIUS), words, 12)

    def legend(self, words: str, colour: tuple[int, int, int]) -> None:
        """One more entry beside the plot, broken where it is long."""
        x, y = _BOX[2] + _LEGEND_GAP, _BOX[1] + 12 + _LEGEND_STEP * self._entries
        self._entries += 1
        self._draw.rectangle((x, y - 6, x + 12, y + 6), fill=colour)
        name, bracket, rest = words.partition(" (")
        self.text((x + 20, y), name[:36], 15)
        if bracket:
            self.text((x + 20, y + 17), f"({rest}"[:40], 13)

    def _upright(self, words: str) -> None:
        """A label that is read from below to above, left of the plot."""
        font = ImageFont.load_default(16)
        width, height = (math.ceil(n) for n in font.getbbox(words)[2:])
        label = Image.new("RGB", (width, height), _WHITE)
        ImageDraw.Draw(label).text((0, 0), words, fill=_INK, font=font)
        turned = label.rotate(90, expand=True)
        self.image.paste(turned, (12, (_BOX[1] + _BOX[3] - turned.height) // 2))

    def _at(self, place: tuple[float, float]) -> tuple[float, float]:
        left, top, right, bottom = _BOX
        (x0, x1), (y0, y1) = self._x, self._y
        return left + (place[0] - x0) / (x1 - x0) * (right - left), bottom - (place[1] - y0) / (y1 - y0) * (bottom - top)


def _ticks(span: Span) -> list[float]:
    """Round numbers inside ``span``, between four and ten of them."""
    low, high = span
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(power * factor for factor in (5, 2, 1) if power * factor <= (high - low) / 4)
    first = math.ceil(low / step)
    return [round(k * step, 10) for k in range(first, math.floor(high / step) + 1)]
