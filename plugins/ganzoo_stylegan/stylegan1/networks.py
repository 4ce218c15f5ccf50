"""The generator of StyleGAN (Karras et al. 2019) at any resolution."""

from collections.abc import Sequence

from torch import Tensor

from ganzoo.errors import ConfigError
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
        mapping_layers: Fully connected layers from ``z`` to ``w``.
        mapping_width: Entries between them.
        mapping_lr: How much slower than the others they learn.
        w_per_layer: Whether the mapping ends in a ``w`` for each layer instead of one for all; such a network mixes no styles.
        channel_base: Channels times pixels a side, where that is less than ``channel_max``.
        channel_max: Most channels of a layer.
        widths: Channels at each resolution, 4x4 first, instead of both.
        const_input: Images begin with learned feature maps; False: with a linear map of the first ``w``.
        fused_up: Whether the kernels of up-sampling layers are used turned by 180 degrees, as the authors' fused layers do;
            None means from 128 pixels on, which is their default.
        blur: Taps of the filter after up-sampling, an odd number; None for no filter.
        blurred_bias: Whether up-sampling layers add their bias before that filter.
        noise: ``spatial``, ``shared``, ``channel`` or ``none``, see `ganzoo_stylegan.stylegan1.styled.Styled`.
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
        mapping_layers: int = 8,
        mapping_width: int = 512,
        mapping_lr: float = 0.01,
        w_per_layer: bool = False,
        channel_base: int = 16384,
        channel_max: int = 512,
        widths: Sequence[int] | None = None,
        const_input: bool = True,
        fused_up: bool | None = None,
        blur: Sequence[float] | None = (1, 2, 1),
        blurred_bias: bool = False,
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
        self.num_classes = num_classes
        self.z_dim, self.w_dim, self.num_ws = z_dim, w_dim, 2 * len(stages)
        self.truncation_cutoff, self.style_mixing, self.w_per_layer = truncation_cutoff, style_mixing, w_per_layer
        if w_per_layer and style_mixing:
            raise ConfigError("With a w for each layer (w_per_layer) there is no style mixing.", hint="Set style_mixing to 0.")
        self._output_shape = (channels, image_size, image_size)
        self.mapping = MappingNetwork(
            z_dim,
            num_classes,
            w_dim * self.num_ws if w_per_layer else w_dim,
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
            blurred_bias=blurred_bias,
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

    def map(
        self, z: Tensor, c: Tensor | int | None = None, *, truncation: float = 1.0, truncation_cutoff: int | None = None
    ) -> Tensor:
        """As in the base class."""
        ws = super().map(z, c, truncation=truncation, truncation_cutoff=truncation_cutoff)
        if not self.w_per_layer:
            return ws
        every = ws.reshape(ws.shape[0], self.num_ws, self.num_ws, self.w_dim)  # for each layer, what was made for all of them
        return every.diagonal(0, 1, 2).mT

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
        noise = noise_source(self.noise_mode(noise_mode), noise_seeds)
        images: Tensor = self.synthesis(ws, noise, lod)
        return images
