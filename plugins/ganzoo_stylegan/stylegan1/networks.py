"""The generator of StyleGAN (Karras et al. 2019) at any resolution."""

from collections.abc import Sequence

from torch import Tensor

from ganzoo.models import checked_names
from ganzoo_stylegan.noise import noise_source
from ganzoo_stylegan.style import StyleGenerator
from ganzoo_stylegan.stylegan1.discriminator import StyleGAN1Discriminator
from ganzoo_stylegan.stylegan1.mapping import MappingNetwork
from ganzoo_stylegan.stylegan1.sizes import blur_taps, stage_widths
from ganzoo_stylegan.stylegan1.synthesis import Synthesis

__all__ = ["StyleGAN1Discriminator", "StyleGAN1Generator"]


class StyleGAN1Generator(StyleGenerator):
    """``z [N, z_dim]``, and a class ``c`` where conditional, to images ``[N, channels, image_size, image_size]``.

    The range is [-1, 1], although nothing in the network keeps the values inside it. The defaults are the paper's network for
    FFHQ at 1024 pixels, with 26,219,627 parameters.

    Args:
        image_size: Pixels a side: a power of two of at least 4.
        channels: Of the image.
        z_dim: Entries of ``z``.
        w_dim: Entries of ``w``.
        num_classes: How many classes; 0 for an unconditional network.
        class_names: Their names in order.
        mapping_layers: Fully connected layers from ``z`` to ``w``.
        mapping_width: Entries between them.
        mapping_lr: How much slower than the others they learn.
        channel_base: Channels times pixels a side, where that is less than ``channel_max``.
        channel_max: Most channels of a layer.
        widths: Channels at each resolution, 4x4 first, instead of both.
        const_input: Images begin with learned feature maps; False: with a linear map of the first ``w``.
        fused_up: Whether the kernels of up-sampling layers are used turned by 180 degrees, as the authors' fused layers do;
            None means from 128 pixels on, which is their default.
        blur: Taps of the filter after up-sampling, an odd number; None for no filter.
        noise: ``spatial``, ``channel`` or ``none``, see `ganzoo_stylegan.stylegan1.styled.Styled`.
        growing: Whether there are layers that show smaller images, as progressive growing needs them.
        final_tanh: End with a hyperbolic tangent.
        norm_eps: Of the instance normalisation.
        equalised: Whether weights are stored with unit variance and scaled when they are used.
        truncation_cutoff: How many layers truncation applies to unless a call says otherwise; None for all. At 1024 pixels the
            first 8 are those up to 32x32 pixels (appendix B).
        style_mixing: Share of the images that are made from two latents while training (sec. 3.1).

    Raises:
        ConfigError: arguments that do not fit together.
    """

    w_avg_beta = 0.995

    def __init__(
        self,
        image_size: int = 1024,
        channels: int = 3,
        z_dim: int = 512,
        w_dim: int = 512,
        num_classes: int = 0,
        class_names: Sequence[str] | None = None,
        mapping_layers: int = 8,
        mapping_width: int = 512,
        mapping_lr: float = 0.01,
        channel_base: int = 16384,
        channel_max: int = 512,
        widths: Sequence[int] | None = None,
        const_input: bool = True,
        fused_up: bool | None = None,
        blur: Sequence[float] | None = (1, 2, 1),
        noise: str = "spatial",
        growing: bool = True,
        final_tanh: bool = False,
        norm_eps: float = 1e-8,
        equalised: bool = True,
        truncation_cutoff: int | None = 8,
        style_mixing: float = 0.9,
    ) -> None:
        super().__init__()
        stages = stage_widths(image_size, channel_base, channel_max, widths)
        self.num_classes, self.class_names = num_classes, checked_names(class_names, num_classes)
        self.z_dim, self.w_dim, self.num_ws = z_dim, w_dim, 2 * len(stages)
        self.truncation_cutoff, self.style_mixing = truncation_cutoff, style_mixing
        self._output_shape = (channels, image_size, image_size)
        self.mapping = MappingNetwork(
            z_dim,
            num_classes,
            w_dim,
            num_layers=mapping_layers,
            width=mapping_width,
            lr_multiplier=mapping_lr,
            equalised=equalised,
        )
        self.synthesis = Synthesis(
            stages,
            channels,
            w_dim,
            const_input=const_input,
            fused=fused_up,
            blur=blur_taps(blur),
            noise=noise,
            growing=growing,
            final_tanh=final_tanh,
            norm_eps=norm_eps,
            equalised=equalised,
        )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    def truncated(self, ws: Tensor, truncation: float, cutoff: int | None = None) -> Tensor:
        """As in the base class, but None stands for the network's own cutoff; ``num_ws`` truncates in all layers."""
        return super().truncated(ws, truncation, self.truncation_cutoff if cutoff is None else cutoff)

    def synthesise(
        self,
        ws: Tensor,
        *,
        noise_mode: str | None = None,
        noise_seeds: Sequence[int] | Tensor | None = None,
        lod: float | None = None,
    ) -> Tensor:
        """Images of ``ws``; arguments as in the base class, and:

        Args:
            ws: ``[N, num_ws, w_dim]``.
            noise_mode: As there.
            noise_seeds: As there.
            lod: Level of detail: how many of the largest resolutions are left out, their pixels repeated instead; between two
                whole numbers the images of both are mixed. None: the network's own, 0 for a finished one.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        self.check_ws(ws)
        mode = noise_mode or ("random" if self.training else "const")
        images: Tensor = self.synthesis(ws, noise_source(mode, noise_seeds), lod)
        return images
