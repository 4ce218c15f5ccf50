"""How large every layer of a StyleGAN3 is and which frequencies it keeps (Karras et al. 2021, sec. 3.2, appendix C).

All of it follows from a few numbers; nothing is listed by hand. No torch is needed.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from ganzoo.errors import ConfigError

STOPBAND = 2**2.1  # of the first layer, in cycles per image (sec. 3.2)
LAST_STOPBAND = 2**0.3  # of the last layer, over its cutoff
LARGEST = 2**16  # pixels a side that anybody could compute


@dataclass(frozen=True)
class Band:
    """The signal between two layers.

    Attributes:
        channels: How many.
        size: Pixels a side, the margin around the image included.
        rate: Pixels over the width of the image.
        cutoff: Cycles over the width of the image that pass.
        half_width: From the cutoff to the end of the transition, in the same unit.
    """

    channels: int
    size: int
    rate: int
    cutoff: float
    half_width: float


@dataclass(frozen=True)
class LayerPlan:
    """One layer of the synthesis.

    Attributes:
        name: ``L<index>_<size>_<channels>``.
        before: What comes in.
        after: What goes out.
        kernel_size: Of the convolution.
        to_image: The last layer: a linear 1x1 convolution without filters.
        filter_size: Taps over the factor that a filter resamples by.
        oversampling: Of the leaky ReLU over the higher of both rates.
        radial: Whether the down-sampling filter is rotationally symmetric.
        half: Computed in float16 where the network is asked to.
    """

    name: str
    before: Band
    after: Band
    kernel_size: int
    to_image: bool
    filter_size: int
    oversampling: int
    radial: bool
    half: bool

    @property
    def rate(self) -> int:
        """Of the leaky ReLU."""
        return max(self.before.rate, self.after.rate) * (1 if self.to_image else self.oversampling)

    @property
    def up(self) -> int:
        """Factor to the rate of the leaky ReLU."""
        return round(self.rate / self.before.rate)

    @property
    def down(self) -> int:
        """Factor from the rate of the leaky ReLU."""
        return round(self.rate / self.after.rate)

    @property
    def up_taps(self) -> int:
        """Of the up-sampling filter; 1: there is none."""
        return self._taps(self.up)

    @property
    def down_taps(self) -> int:
        """Of the down-sampling filter, along both axes if it is radial; 1: there is none."""
        return self._taps(self.down)

    @cached_property
    def padding(self) -> tuple[int, int]:
        """Pixels at the rate of the leaky ReLU, in front and behind, that make the result as large as it must be.

        The convolution pads by one less than its kernel on each side; the filters eat one less than their taps. The two
        together stay centred, to the left where that is half a pixel.
        """
        wanted = (self.after.size - 1) * self.down + 1 + self.up_taps + self.down_taps - 2
        total = wanted - (self.before.size + self.kernel_size - 1) * self.up
        first = (total + self.up) // 2
        return first, total - first

    def _taps(self, factor: int) -> int:
        return self.filter_size * factor if factor > 1 and not self.to_image else 1


@dataclass(frozen=True)
class Rules:
    """What the layers follow from; the arguments of the generator of the same names.

    Raises:
        ConfigError: numbers that no network can be made of.
    """

    image_size: int = 256
    channels: int = 3
    channel_base: float = 32768
    channel_max: float = 512
    layers: int = 14
    critical_layers: int = 2
    first_cutoff: float = 2
    first_stopband: float = STOPBAND
    last_stopband: float = LAST_STOPBAND
    margin: int = 10
    kernel_size: int = 3
    radial: bool = False
    filter_size: int = 6
    oversampling: int = 2
    num_fp16_res: int = 4

    def __post_init__(self) -> None:
        wholes = {"channels": 1, "kernel_size": 1, "filter_size": 1, "oversampling": 1, "margin": 0, "num_fp16_res": 0}
        for name, least in {"image_size": 4, "layers": 1, "critical_layers": 0, **wholes}.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"'{name}' is {value!r}; it is a whole number of at least {least}.")
        for name in ("channel_base", "channel_max", "first_cutoff", "first_stopband", "last_stopband"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ConfigError(f"'{name}' is {value!r}; it is a number above 0.")
        if self.critical_layers >= self.layers:
            raise ConfigError(
                f"Of {self.layers} layers {self.critical_layers} cannot be sampled critically: fewer than all can."
            )
        if max(self.image_size, self.margin) > LARGEST:
            raise ConfigError(f"An image of {self.image_size} pixels and a margin of {self.margin} are too large.")

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The signal after every layer, the last being the image."""
        return tuple(self.band(index) for index in range(self.layers + 1))

    def band(self, index: int) -> Band:
        """The signal after one layer."""
        last_cutoff = self.image_size / 2
        last_stopband = last_cutoff * self.last_stopband
        part = min(index / (self.layers - self.critical_layers), 1)
        cutoff = self.first_cutoff * (last_cutoff / self.first_cutoff) ** part
        stopband = self.first_stopband * (last_stopband / self.first_stopband) ** part
        rate = 2 ** max(math.ceil(math.log2(min(2 * stopband, self.image_size))), 0)
        critical = index >= self.layers - 1  # the last two have no margin
        size = self.image_size if critical else rate + 2 * self.margin
        channels = round(min(self.channel_base / 2 / cutoff, self.channel_max))
        channels = self.channels if index == self.layers else channels
        return Band(channels, size, rate, cutoff, max(stopband, rate / 2) - cutoff)

    @cached_property
    def plans(self) -> tuple[LayerPlan, ...]:
        """Every layer in its order."""
        return tuple(self._plan(index) for index in range(self.layers + 1))

    def _plan(self, index: int) -> LayerPlan:
        before, after = self.bands[max(index - 1, 0)], self.bands[index]
        to_image = index == self.layers
        return LayerPlan(
            name=f"L{index}_{after.size}_{after.channels}",
            before=before,
            after=after,
            kernel_size=1 if to_image else self.kernel_size,
            to_image=to_image,
            filter_size=self.filter_size,
            oversampling=self.oversampling,
            radial=self.radial and index < self.layers - self.critical_layers,
            half=after.rate * 2**self.num_fp16_res > self.image_size,
        )
