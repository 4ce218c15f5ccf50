"""Figures over the temperature as a picture: one small panel for each."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from ganzoo.errors import InvalidValueError, OutputError
from ganzoo.metrics.bench import HELD_OUT
from ganzoo.metrics.evaluation import Evaluation
from ganzoo.paths import atomic_path, check_parent

_WIDTH, _HEIGHT, _COLUMNS = 320, 220, 3  # of a panel, pixels; panels side by side
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 14, 28, 34  # of the frame in a panel
_INK, _GRID, _REAL = (40, 40, 40), (200, 200, 200), (130, 130, 130)
_COLOURS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14), (23, 190, 207))
Curve = list[tuple[float, float]]
Colours = Mapping[str, tuple[int, int, int]]  # by model


def plot_curves(evaluations: Sequence[Evaluation], file: str | Path) -> Path:
    """Draws each figure of the models over the temperature; a grey line is that of held-out real data.

    What is infinite stands as a word at the edge.

    Args:
        evaluations: At two temperatures or more.
        file: A picture, e.g. ``curve.png``.

    Returns:
        The file.

    Raises:
        InvalidValueError: no two temperatures.
        OutputError: the picture cannot be written.
    """
    path = Path(file)
    check_picture(path)
    measured = [each for each in evaluations if each.protocol.temperature is not None]
    if len({each.protocol.temperature for each in measured}) < 2:
        raise InvalidValueError("Curves need figures at two temperatures or more.", hint="Measure with --sweep 0.7:1.3")
    names = list(dict.fromkeys(name for each in measured for name in each.model.figures))
    columns = min(_COLUMNS, len(names))
    picture = Image.new("RGB", (columns * _WIDTH, -(-len(names) // columns) * _HEIGHT + 24), "white")
    draw = ImageDraw.Draw(picture)
    models = dict.fromkeys(each.name for each in measured)
    colours = dict(zip(models, itertools.cycle(_COLOURS), strict=False))
    for number, name in enumerate(names):
        _panel(draw, (number % columns * _WIDTH, number // columns * _HEIGHT), name, measured, colours)
    _legend(draw, picture.height - 18, colours)
    try:
        with atomic_path(path) as temporary:
            picture.save(temporary, format=Image.registered_extensions()[path.suffix.lower()])
    except (OSError, ValueError) as e:
        raise OutputError(f"{path} cannot be written: {getattr(e, 'strerror', None) or e}.") from e
    return path


def check_picture(path: Path) -> None:
    """Refuses early what could not be written.

    Raises:
        OutputError: no such folder, or a file type that is no picture.
    """
    check_parent(path)
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise OutputError(f"{path}: pictures cannot be written as '{path.suffix}'.", hint="Use .png.")


def curves(evaluations: Sequence[Evaluation], name: str) -> dict[str, Curve]:
    """The points ``(temperature, figure)`` of each model, at its full count, by rising temperature."""
    found: dict[str, Curve] = {}
    for each in evaluations:
        if each.protocol.temperature is not None and name in each.model.figures:
            found.setdefault(each.name, []).append((each.protocol.temperature, each.model.figures[name]))
    return {model: sorted(points) for model, points in found.items()}


def _panel(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, evaluations: Sequence[Evaluation], colours: Colours
) -> None:
    lines = curves(evaluations, name)
    real = [m.figures[name] for each in evaluations for m in each.measurements if m.of == HELD_OUT and name in m.figures]
    xs = _range([x for line in lines.values() for x, _ in line])
    ys = _range([y for y in [*(y for line in lines.values() for _, y in line), *real] if math.isfinite(y)])
    left, top = corner[0] + _LEFT, corner[1] + _TOP
    right, bottom = corner[0] + _WIDTH - _RIGHT, corner[1] + _HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x - xs[0]) / (xs[1] - xs[0]) * (right - left),
            bottom - (y - ys[0]) / (ys[1] - ys[0]) * (bottom - top),
        )

    draw.rectangle((left, top, right, bottom), outline=_GRID)
    draw.text((left, corner[1] + 8), name, fill=_INK)
    for y in ys:
        draw.text((left - 6, place(xs[0], y)[1]), f"{y:.3g}", fill=_INK, anchor="rm")
    for x in xs:
        draw.text((place(x, ys[0])[0], bottom + 6), f"{x:.3g}", fill=_INK, anchor="mt")
    for value in filter(math.isfinite, dict.fromkeys(real)):
        draw.line((place(xs[0], value), place(xs[1], value)), fill=_REAL, width=2)
    for model, line in lines.items():
        for infinite, run in itertools.groupby(line, key=lambda point: math.isinf(point[1])):
            if infinite:  # above or below everything: named at the edge, and no line leads there
                _edge(draw, [(place(x, ys[y > 0]), y) for x, y in run], colours[model])
                continue
            points = [place(x, y) for x, y in run]
            draw.line(points, fill=colours[model], width=2)
            for x, y in points:
                draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colours[model])


def _edge(draw: ImageDraw.ImageDraw, points: Iterable[tuple[tuple[float, float], float]], colour: tuple[int, int, int]) -> None:
    for (x, y), value in points:
        draw.text((x, y), f"{value:g}", fill=colour, anchor="mt" if value > 0 else "mb")


def _legend(draw: ImageDraw.ImageDraw, y: int, colours: Colours) -> None:
    x = 8.0
    draw.text((x, y), "over temperature:", fill=_INK)
    x += draw.textlength("over temperature:") + 12
    for model, colour in {**colours, HELD_OUT: _REAL}.items():
        draw.text((x, y), model, fill=colour)
        x += draw.textlength(model) + 16


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
