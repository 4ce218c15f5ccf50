"""genforce's StyleGAN2, a port that follows the TensorFlow program variable by variable.

Axes are in PyTorch's order, but kernels that up-sample are kept turned round, style biases without the 1 that is added to
them, and weights are divided by the root of their inputs before they are demodulated. Filters are kept where they are used,
multiplied by 4 where they up-sample.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo_stylegan.entries import Change, Entry
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.layouts import AVERAGE
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.renamed import FILTER, RenamedReader, discriminator_names, generator_names
from ganzoo_stylegan.stylegan2.shapes import Shapes, discriminator_config, generator_config

_UP_GAIN = 4.0  # of filters that up-sample by 2 along both axes
_MEAN = "truncation.w_avg"
_MAPPED = re.compile(r"mapping\.fc(\d+)\.(weight|bias)")
_SYNTHESIS = re.compile(r"synthesis\.b(\d+)\.(?:(conv0|conv1|torgb)\.)?(.+)")
_CRITIC = re.compile(r"b(\d+)\.(?:(fromrgb|conv0|conv1|skip|conv|fc|out)\.)?(.+)")
_IMAGE: tuple[Change, Change] = (lambda t: t[0, 0], lambda t: t[None, None])
_UP: tuple[Change, Change] = (lambda t: t[0, 0] / _UP_GAIN, lambda t: t[None, None] * _UP_GAIN)
_TURNED: tuple[Change, Change] = (lambda t: t.flip(2, 3), lambda t: t.flip(2, 3))
_ONE_MORE: tuple[Change, Change] = (lambda t: t + 1, lambda t: t - 1)


class _Genforce(RenamedReader):
    """What both readers share: one filter for all images that skip layers, where there are such.

    Attributes:
        skipping: The name of that filter, how it is written, and the architecture where none is named.
    """

    skipping: ClassVar[tuple[str, Change, str]]

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """With that filter, which is the same as all others."""
        key, _, default = self.skipping
        more = {key: ""} if (config["architecture"] or default) == "skip" else {}
        return {**super().keys(config), **more}

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """With that filter."""
        key, write, _ = self.skipping
        found = next(tensor for name, tensor in state.items() if name.endswith(FILTER))
        more = {key: write(found)} if key in self.keys(config) else {}
        return {**super().export(state, config), **more}


class GenforceGenerator(_Genforce):
    """``StyleGAN2Generator``: ``models.generator`` and ``models.generator_smooth``."""

    network = StyleGAN2Generator
    skipping = ("synthesis.upsample.kernel", _UP[1], "skip")

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `generator_config`."""
        return generator_config(shapes)

    def image_size(self, shapes: Shapes) -> int:
        """Told from how many layers there are."""
        count = sum(f"synthesis.layer{2 * i}.noise_strength" in shapes for i in range(20))
        return 2 << count if "synthesis.early_layer.const" in shapes else 0

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """With weights that are divided by the root of their number of inputs.

        Raises:
            ConfigError: a network that makes a ``w`` for each layer, or joins the class in another way.
        """
        config = super().config(shapes)
        if config is None:
            return None
        if "mapping.label_weight" in shapes:
            raise ConfigError("This StyleGAN2 joins class and latent before it normalises them; that is not known.")
        if len(shapes.get(_MEAN, ())) == 1 and shapes[_MEAN][0] != config["w_dim"]:
            raise ConfigError("This StyleGAN2 maps z to a w for each layer (repeat_w=False); that is known of StyleGAN only.")
        return {**config, "equalised": True}

    def possible(self, sizes: list[int]) -> Iterator[str]:
        """Those of every generator."""
        return generator_names(sizes)

    def entry(self, name: str, image_size: int) -> Entry | None:
        """Layers are numbered from the smallest resolution on."""
        if name == AVERAGE:
            return Entry(_MEAN)
        if name == "synthesis.b4.const":
            return Entry("synthesis.early_layer.const", lambda t: t[0], lambda t: t[None])
        if found := _MAPPED.fullmatch(name):
            return Entry(f"mapping.dense{found[1]}.{found[2]}")
        found = _SYNTHESIS.fullmatch(name)
        return None if found is None else _synthesis_entry(int(math.log2(int(found[1]))) - 2, found[2], found[3])


class GenforceDiscriminator(_Genforce):
    """``StyleGAN2Discriminator``: ``models.discriminator``."""

    network = StyleGAN2Discriminator
    skipping = ("downsample.kernel", _IMAGE[1], "resnet")

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `discriminator_config`."""
        return discriminator_config(shapes)

    def image_size(self, shapes: Shapes) -> int:
        """Told from how many layers change the resolution."""
        count = sum(f"layer{2 * i + 1}.filter.kernel" in shapes for i in range(20))
        return 4 << count if count and "input0.weight" in shapes else 0

    def possible(self, sizes: list[int]) -> Iterator[str]:
        """Those of every discriminator."""
        return discriminator_names(sizes)

    def entry(self, name: str, image_size: int) -> Entry | None:
        """Layers are numbered from the image on."""
        found = _CRITIC.fullmatch(name)
        if found is None or found[2] is None:
            return None
        block = int(math.log2(image_size // int(found[1])))
        layer, tensor = found[2], found[3]
        layers = {"conv0": 2 * block, "conv1": 2 * block + 1, "conv": 2 * block, "fc": 2 * block + 1, "out": 2 * block + 2}
        prefix = {"fromrgb": f"input{block}", "skip": f"skip_layer{block}"}.get(layer) or f"layer{layers[layer]}"
        if tensor == FILTER:
            return Entry(f"{prefix}.filter.kernel", *_IMAGE) if layer in ("conv1", "skip") else None
        return Entry(f"{prefix}.{tensor}")


def _synthesis_entry(block: int, layer: str | None, tensor: str) -> Entry | None:
    """Where a tensor of that block is kept; ``layer`` is None for the block's own filter."""
    if layer is None:
        return None
    numbers = {"conv0": f"layer{2 * block - 1}", "conv1": f"layer{2 * block}", "torgb": f"output{block}"}
    prefix = f"synthesis.{numbers[layer]}"
    if tensor == FILTER:
        return Entry(f"{prefix}.filter.kernel", *_UP) if layer == "conv0" else None
    if tensor == "weight":
        return Entry(f"{prefix}.weight", *_TURNED) if layer == "conv0" else Entry(f"{prefix}.weight")
    return {
        "bias": Entry(f"{prefix}.bias"),
        "affine.weight": Entry(f"{prefix}.style.weight"),
        "affine.bias": Entry(f"{prefix}.style.bias", *_ONE_MORE),
        "noise_const": Entry(f"{prefix}.noise", *_IMAGE),
        "noise_strength": Entry(f"{prefix}.noise_strength"),
    }.get(tensor)
