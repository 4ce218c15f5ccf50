"""StyleGAN2 (Karras, Laine, Aittala, Hellsten, Lehtinen and Aila 2020, arXiv:1912.04958).

Constants and names are those of NVIDIA's programs, which agree on them: ``stylegan2`` (TensorFlow), ``stylegan2-ada-pytorch``
and the StyleGAN2 of ``stylegan3``.
"""

from collections.abc import Sequence

from torch import Tensor

from ganzoo_stylegan.mapping import MappingNetwork
from ganzoo_stylegan.noise import noise_source
from ganzoo_stylegan.style import StyleGenerator
from ganzoo_stylegan.stylegan2.layers import LayerStyle, Taps
from ganzoo_stylegan.stylegan2.plans import block_widths, check_architecture, half_precision_sizes
from ganzoo_stylegan.stylegan2.synthesis import SynthesisNetwork


class StyleGAN2Generator(StyleGenerator):
    """``z [N, z_dim]``, and a class ``c`` where conditional, to images ``[N, channels, image_size, image_size]``.

    The range is [-1, 1], although nothing in the network keeps the values inside it. The defaults are the paper's network
    (configuration F), at 256 pixels.

    Args:
        image_size: Pixels a side: a power of two of at least 4.
        channels: Of the image.
        z_dim: Entries of ``z``.
        w_dim: Entries of ``w``.
        num_classes: How many classes; 0 for an unconditional network.
        channel_base: Channels times pixels a side, as long as there are at most ``channel_max``.
        channel_max: Most channels of a layer.
        widths: Channels at each resolution, 4x4 first, instead of both.
        architecture: ``skip`` (the default), ``resnet`` or ``orig``.
        activation: Of the synthesis layers, a name of `ganzoo.nn.bias_act`.
        resample_filter: Taps for changes of resolution, one line or rows of them.
        conv_clamp: Largest magnitude of what leaves a layer; None for no limit.
        kernel_size: Of the convolutions, odd.
        use_noise: Whether layers add noise.
        num_fp16_res: How many of the largest resolutions are computed in float16 (not on a CPU, unless
            ``synthesis.half_on_cpu`` is set).
        mapping_layers: Layers from ``z`` to ``w``.
        mapping_lr: Learning rate multiplier of these layers; the effective weights depend on it.
        mapping_width: Entries between these layers; None means ``w_dim``.
        mapping_activation: Of these layers.
        embedding_size: Entries of an embedded class; None means ``w_dim``.
        equalised: Whether modulated weights are divided by the root of their number of inputs, as in rosinality's port.
        w_avg_beta: What the moving average of ``w`` keeps at every training step.
        style_mixing: Share of training images that are made from two latents.
        image_filter: Taps for enlarging what is an image already; None means ``resample_filter``.

    Raises:
        ConfigError: arguments that do not fit together.
    """

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        z_dim: int = 512,
        w_dim: int = 512,
        num_classes: int = 0,
        channel_base: int = 32768,
        channel_max: int = 512,
        widths: Sequence[int] | None = None,
        architecture: str | None = None,
        activation: str = "lrelu",
        resample_filter: Taps = (1, 3, 3, 1),
        conv_clamp: float | None = None,
        kernel_size: int = 3,
        use_noise: bool = True,
        num_fp16_res: int = 0,
        mapping_layers: int = 8,
        mapping_lr: float = 0.01,
        mapping_width: int | None = None,
        mapping_activation: str = "lrelu",
        embedding_size: int | None = None,
        equalised: bool = False,
        w_avg_beta: float = 0.998,
        style_mixing: float = 0.9,
        image_filter: Taps = None,
    ) -> None:
        super().__init__()
        self.z_dim, self.w_dim, self.num_classes = z_dim, w_dim, num_classes
        self.w_avg_beta, self.style_mixing = w_avg_beta, style_mixing
        self._output_shape = (channels, image_size, image_size)
        self.mapping = MappingNetwork(
            z_dim,
            num_classes,
            w_dim,
            num_layers=mapping_layers,
            embed_features=embedding_size,
            layer_features=mapping_width,
            activation=mapping_activation,
            lr_multiplier=mapping_lr,
        )
        self.synthesis = SynthesisNetwork(
            block_widths(image_size, channel_base, channel_max, widths),
            w_dim,
            channels,
            LayerStyle(activation, resample_filter, conv_clamp, kernel_size, use_noise, equalised, image_filter),
            architecture=check_architecture(architecture, "skip"),
            half=half_precision_sizes(image_size, num_fp16_res),
        )
        self.num_ws = self.synthesis.num_ws

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    def synthesise(
        self, ws: Tensor, *, noise_mode: str | None = None, noise_seeds: Sequence[int] | Tensor | None = None
    ) -> Tensor:
        """See `StyleGenerator.synthesise`."""
        self.check_ws(ws)
        noise = noise_source(self.noise_mode(noise_mode), noise_seeds)
        images: Tensor = self.synthesis(ws, noise)
        return images
