"""StyleGAN3 (Karras, Aittala, Laine, Härkönen, Hellsten, Lehtinen and Aila 2021, arXiv:2106.12423)."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo_stylegan.mapping import MappingNetwork
from ganzoo_stylegan.noise import noise_source
from ganzoo_stylegan.style import StyleGenerator
from ganzoo_stylegan.stylegan3.fourier import Offset, placement
from ganzoo_stylegan.stylegan3.geometry import LAST_STOPBAND, STOPBAND, Rules
from ganzoo_stylegan.stylegan3.synthesis import Synthesis


class StyleGAN3Generator(StyleGenerator):
    """``z [N, z_dim]``, and a class ``c [N]`` where conditional, to images ``[N, channels, image_size, image_size]``.

    The defaults are configuration T, whose images follow translations. Configuration R, whose images follow rotations, too, has
    ``kernel_size=1``, ``radial=True`` and twice the ``channel_base`` and ``channel_max``.

    Args:
        image_size: Pixels a side.
        channels: Of the image.
        z_dim: Entries of ``z``.
        w_dim: Entries of ``w``.
        num_classes: How many classes; 0: unconditional.
        mapping_layers: Of the mapping network.
        mapping_lr: How much slower it learns than the synthesis.
        channel_base: A layer that keeps ``f`` cycles over the width of the image has ``channel_base / 2 f`` channels.
        channel_max: At most so many.
        layers: Of the synthesis, without the last one, which makes the image.
        critical_layers: The last so many have their cutoff at half the sampling rate.
        first_cutoff: Of the first layer, in cycles over the width of the image.
        first_stopband: Where it stops everything, likewise.
        last_stopband: The same of the last layers, over their cutoff.
        margin: Pixels around the image that the layers compute besides, at their own rates.
        kernel_size: Of the convolutions.
        radial: Rotationally symmetric filters, but in critical layers.
        filter_size: Taps of a filter over the factor that it resamples by.
        oversampling: Of the leaky ReLU.
        output_scale: What the last layer's result is multiplied by.
        conv_clamp: Activations are kept in ``[-conv_clamp, conv_clamp]``; None does not limit them.
        magnitude_beta: Decay of the averages of layers' magnitudes, for each forward pass of a training.
        w_avg_beta: Decay of the average of ``w``, likewise.
        num_fp16_res: How many of the highest resolutions are computed in float16 (not on a CPU, unless ``half_on_cpu`` of
            ``synthesis.precision`` is set).

    Raises:
        ConfigError: a value that is none of these.
    """

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        z_dim: int = 512,
        w_dim: int = 512,
        num_classes: int = 0,
        mapping_layers: int = 2,
        mapping_lr: float = 0.01,
        channel_base: float = 32768,
        channel_max: float = 512,
        layers: int = 14,
        critical_layers: int = 2,
        first_cutoff: float = 2,
        first_stopband: float = STOPBAND,
        last_stopband: float = LAST_STOPBAND,
        margin: int = 10,
        kernel_size: int = 3,
        radial: bool = False,
        filter_size: int = 6,
        oversampling: int = 2,
        output_scale: float = 0.25,
        conv_clamp: float | None = 256,
        magnitude_beta: float = 0.999,
        w_avg_beta: float = 0.998,
        num_fp16_res: int = 4,
    ) -> None:
        super().__init__()
        rules = Rules(
            image_size=image_size,
            channels=channels,
            channel_base=channel_base,
            channel_max=channel_max,
            layers=layers,
            critical_layers=critical_layers,
            first_cutoff=first_cutoff,
            first_stopband=first_stopband,
            last_stopband=last_stopband,
            margin=margin,
            kernel_size=kernel_size,
            radial=radial,
            filter_size=filter_size,
            oversampling=oversampling,
            num_fp16_res=num_fp16_res,
        )
        if conv_clamp is not None and not conv_clamp >= 0:
            raise ConfigError(f"'conv_clamp' is {conv_clamp}; it is a number of at least 0, or None.")
        self.num_classes = num_classes
        self.z_dim, self.w_dim, self.num_ws = z_dim, w_dim, layers + 2
        self.w_avg_beta = w_avg_beta
        self._output_shape = (channels, image_size, image_size)
        self.synthesis = Synthesis(rules, w_dim, output_scale=output_scale, clamp=conv_clamp, beta=magnitude_beta)
        self.mapping = MappingNetwork(z_dim, num_classes, w_dim, num_layers=mapping_layers, lr_multiplier=mapping_lr)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    def synthesise(
        self,
        ws: Tensor,
        *,
        noise_mode: str | None = None,
        noise_seeds: Sequence[int] | Tensor | None = None,
        rotation: float | Tensor = 0.0,
        translation: Offset | Tensor = (0.0, 0.0),
        independent: bool = False,
    ) -> Tensor:
        """Images ``[N, C, H, W]`` of ``ws [N, num_ws, w_dim]``; the first ``w`` is that of the Fourier features.

        Args:
            ws: One ``w`` for every layer.
            noise_mode: Checked, but without effect: there is no noise in StyleGAN3.
            noise_seeds: Likewise.
            rotation: Degrees by which the image is turned counter-clockwise around its middle; one number, or ``[N]``.
            translation: By which it is moved then, to the right and down, in widths of the image; two numbers, or ``[N, 2]``.
            independent: Normalise the styles of each sample by themselves. As published they are normalised together with
                those of the whole batch; the results differ by rounding only, but depend on what else is in the batch.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        self.check_ws(ws)
        noise_source(self.noise_mode(noise_mode), noise_seeds)  # raises its errors
        where = placement(rotation, translation, ws)
        images: Tensor = self.synthesis(ws, where, independent=independent)
        return images

    def inputs(self, seeds: Sequence[int], *, truncation: float | None = None, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        """As `StyleGenerator.inputs`.

        Styles are normalised sample by sample here (``independent=True``), so that no sample depends on its batch.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        return super().inputs(seeds, truncation=truncation, **{"independent": True, **options})
