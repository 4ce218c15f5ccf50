"""From the names and shapes of a StyleGAN3's tensors back to the few numbers that they follow from. No torch is needed.

Names tell the size of every layer and shapes its channels. Channels follow from cutoffs, sizes from stop bands and the margin;
the usual values of these are tried first, then others that may explain the file.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, product
from typing import Any

from ganzoo.errors import ConfigError
from ganzoo_stylegan.stylegan3.geometry import LAST_STOPBAND, STOPBAND, Rules

Shapes = Mapping[str, tuple[int, ...]]
_LAYER = re.compile(r"synthesis\.L(\d{1,3})_(\d{1,6})_(\d{1,6})\.weight")
_CUTOFFS = (2, 1, 3, 4, 1.5, 2.5, 5, 6, 8, 0.5)
_STOPBANDS = (2**1.1, 2, 1.5, 2**0.5, 2**1.5, 3, 4, 1.25)  # over the first cutoff
_LAST_STOPBANDS = (LAST_STOPBAND, 2**0.2, 2**0.4, 2**0.5, 2**0.1, 1.5, 1.1, 2)
_USUAL_BASE = 32768
# A file can be made so that nothing explains it: the search has to end. The paper has 14 layers, and its numbers come first.
_MOST_LAYERS = 100
_MOST_GUESSES = 30_000


@dataclass(frozen=True)
class Seen:
    """What a file shows of one layer.

    Attributes:
        size: Pixels a side, from its name.
        outputs: Channels.
        kernel_size: Of its convolution.
        up_taps: Of its up-sampling filter; 1: there is none.
        down_taps: Of its down-sampling filter, likewise.
        radial: Whether that has two dimensions.
    """

    size: int
    outputs: int
    kernel_size: int
    up_taps: int
    down_taps: int
    radial: bool


def seen_layers(shapes: Shapes) -> list[Seen]:
    """Every layer in its order; none where a number is left out or a weight is no convolution's."""
    layers: dict[int, Seen] = {}
    for key, shape in shapes.items():
        found = _LAYER.fullmatch(key)
        if found and len(shape) == 4:
            up, down = (shapes.get(key.removesuffix("weight") + f"{way}_filter", (1,)) for way in ("up", "down"))
            taps = max(up, default=1), max(down, default=1)
            layers[int(found[1])] = Seen(int(found[2]), shape[0], shape[2], *taps, radial=len(down) == 2)
    return [layers[i] for i in range(len(layers))] if sorted(layers) == list(range(len(layers))) else []


def inferred_rules(shapes: Shapes) -> Rules | None:
    """The numbers that all layers follow from; the usual ones where none explain the file. None: it has no such layers.

    What no shape shows (which frequencies the stored filters keep, where all layers are of equal size) is taken to be usual.
    """
    layers = seen_layers(shapes)
    if not 2 <= len(layers) <= _MOST_LAYERS:
        return None
    try:
        known = _known(layers)
        guesses = islice(_guesses(layers, known), _MOST_GUESSES)
        return next((rules for rules in guesses if _fits(rules, layers)), known)
    except ConfigError:  # an image of no pixels, say: then the file is damaged or none of ours
        return None


def _known(layers: Sequence[Seen]) -> Rules:
    """What can be read off, everything else as usual."""
    hidden = layers[:-1]
    radial = any(layer.radial for layer in hidden)
    critical = next((i for i, layer in enumerate(reversed(hidden)) if layer.radial), 0) if radial else min(2, len(hidden) - 1)
    # Filters of an odd number of taps cannot be of twice the signal's rate; no filter at all is a leaky ReLU at its rate.
    up = max(hidden[0].up_taps, 1)
    oversampling = 1 if up == 1 else 2 if up % 2 == 0 else up
    sampled = next((layer.up_taps for layer in hidden if layer.up_taps > 1), 12)
    return Rules(
        image_size=layers[-1].size,
        channels=layers[-1].outputs,
        channel_max=max(layer.outputs for layer in hidden),
        layers=len(hidden),
        critical_layers=critical,
        kernel_size=hidden[0].kernel_size,
        radial=radial,
        filter_size=max(1, up // oversampling if up > 1 else sampled // 2),
        oversampling=oversampling,
    )


def _guesses(layers: Sequence[Seen], known: Rules) -> Iterator[Rules]:
    """Rules that explain channels and sizes, from the most to the least usual."""
    critical = [known.critical_layers]
    if not known.radial:
        critical += [n for n in (2, 1, 0, *range(3, known.layers)) if n < known.layers and n not in critical]
    for number in critical:
        for cutoff in _CUTOFFS:
            rules = _with_channels(replace(known, critical_layers=number, first_cutoff=cutoff), layers)
            if rules is not None:
                yield from _with_sizes(rules, layers)


def _with_sizes(rules: Rules, layers: Sequence[Seen]) -> Iterator[Rules]:
    """``rules`` with all stop bands and margins that may give the layers their sizes."""
    stopbands = dict.fromkeys((STOPBAND, *(rules.first_cutoff * ratio for ratio in _STOPBANDS)))
    for margin, stopband, last in product(_margins(layers), stopbands, _LAST_STOPBANDS):
        yield replace(rules, first_stopband=stopband, last_stopband=last, margin=margin)


def _margins(layers: Sequence[Seen]) -> list[int]:
    """Margins that leave powers of two of all sizes but the last two, which have none; the usual one first."""
    sizes = [layer.size for layer in layers[:-2]]
    if not sizes:
        return [10]
    rates = (2**k for k in range(min(sizes).bit_length()))
    margins = [(min(sizes) - rate) // 2 for rate in rates if rate <= min(sizes) and (min(sizes) - rate) % 2 == 0]
    fitting = [m for m in margins if all((size - 2 * m).bit_count() == 1 for size in sizes)]
    return sorted(fitting, key=lambda margin: abs(margin - 10))


def _with_channels(rules: Rules, layers: Sequence[Seen]) -> Rules | None:
    """``rules`` with the roundest ``channel_base`` that gives all layers their channels; None where none does."""
    low, high = 1.0, math.inf
    for band, layer in zip(rules.bands[:-1], layers[:-1], strict=True):
        half = 0.499999 if layer.outputs % 2 else 0.5  # halves are rounded to even numbers
        low = max(low, 2 * band.cutoff * (layer.outputs - half))
        if layer.outputs < rules.channel_max:
            high = min(high, 2 * band.cutoff * (layer.outputs + half))
    if low > high:
        return None
    return replace(rules, channel_base=_roundest(low, high))


def _roundest(low: float, high: float) -> float:
    """The number between the two that the largest power of two divides; the usual one where there is no upper end."""
    if math.isinf(high):
        high = max(2 * low, 2)
        if low <= _USUAL_BASE:
            return _USUAL_BASE
    for power in range(40, -1, -1):
        number = math.ceil(low / (1 << power)) << power
        if number <= high:
            return number
    return (low + high) / 2


def _fits(rules: Rules, layers: Sequence[Seen]) -> bool:
    # Sizes first, one by one: most guesses end at one of the first layers.
    return all(rules.band(i).size == layer.size for i, layer in enumerate(layers)) and all(
        (plan.after.size, plan.after.channels, plan.up_taps, plan.down_taps, plan.radial)
        == (layer.size, layer.outputs, layer.up_taps, layer.down_taps, layer.radial)
        for plan, layer in zip(rules.plans, layers, strict=True)
    )


def as_arguments(rules: Rules) -> dict[str, Any]:
    """``rules`` as arguments of the generator, but for what says nothing about shapes."""
    return {name: value for name, value in asdict(rules).items() if name != "num_fp16_res"}
