"""The StyleGAN2 networks of NVIDIA's TensorFlow programs: ``stylegan2`` (configurations B to F) and ``stylegan2-ada``.

Convolutions are kept as [height, width, in, out] and matrices as [in, out]. The generator's up-sampling convolutions and
residual paths are kept turned round, style biases without the 1 that is added to them, and filters not at all. Configurations
B to D grow: they have layers that show or see smaller images, of which a finished network uses the largest one.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from torch import Tensor

from ganzoo.checkpoint import Stated
from ganzoo.errors import ConfigError
from ganzoo_stylegan.entries import Entry
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.growing import LEVEL, grown
from ganzoo_stylegan.stylegan2.layouts import AVERAGE
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.renamed import RenamedReader, discriminator_names, generator_names
from ganzoo_stylegan.stylegan2.shapes import Shapes, discriminator_config, generator_config

_SYNTHESIS = re.compile(r"synthesis\.b(\d+)\.(?:(conv0|conv1|torgb|skip)\.)?(.+)")
_CRITIC = re.compile(r"b(\d+)\.(fromrgb|conv0|conv1|skip|conv|fc|out)\.(weight|bias)")
_MAPPING = re.compile(r"mapping\.(?:fc(\d+)|(embed))\.(weight|bias)")
_LAYERS = {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB", "skip": "Skip"}
_CRITICS = {"fromrgb": "FromRGB", "conv0": "Conv0", "conv1": "Conv1_down", "skip": "Skip", "conv": "Conv", "fc": "Dense0"}
_TRANSPOSED = (lambda t: t.t().contiguous(), lambda t: t.t().contiguous())
_PRECISION: Mapping[str, str] = {"conv_clamp": "conv_clamp", "num_fp16_res": "num_fp16_res"}


class TensorFlowReader(RenamedReader):
    """What the readers of both networks share.

    Attributes:
        stated: Their names of constructor arguments, and ours.
        defaults: Ours, where a program's default is another one than this package's.
    """

    stated: ClassVar[Mapping[str, str]]
    defaults: ClassVar[Mapping[str, Any]] = {}

    def pick(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A network that grows as the plain one that it has become, see `grown`."""
        return grown(state)

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """As in the base class.

        Raises:
            ConfigError: a network that was stored between two resolutions.
        """
        if LEVEL in shapes and self.image_size(shapes):
            raise ConfigError("This network was stored while it grew, between two resolutions; only whole ones are read.")
        return super().config(shapes)

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        """With everything that shapes do not tell."""
        known = {
            **self.defaults,
            **{ours: stated.arguments[theirs] for theirs, ours in self.stated.items() if theirs in stated.arguments},
        }
        return {**config, **known}


class TensorFlowGenerator(TensorFlowReader):
    """``G`` and ``Gs``."""

    network = StyleGAN2Generator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `generator_config`."""
        return generator_config(shapes)

    stated: ClassVar[Mapping[str, str]] = {
        **_PRECISION,
        "nonlinearity": "activation",
        "resample_kernel": "resample_filter",
        "mapping_lrmul": "mapping_lr",
        "mapping_nonlinearity": "mapping_activation",
        "dlatent_avg_beta": "w_avg_beta",
    }
    defaults: ClassVar[Mapping[str, Any]] = {"w_avg_beta": 0.995}

    def image_size(self, shapes: Shapes) -> int:
        """The largest resolution with layers of its own."""
        return _largest(shapes, "synthesis/{0}x{0}/Conv1/weight") if "synthesis/4x4/Const/const" in shapes else 0

    def possible(self, sizes: list[int]) -> Iterator[str]:
        """Those of every generator."""
        return generator_names(sizes)

    def entry(self, name: str, image_size: int) -> Entry | None:
        """Layers are named after their resolution, noise is numbered."""
        if name == AVERAGE:
            return Entry("dlatent_avg")
        if found := _MAPPING.fullmatch(name):
            return _dense(f"mapping/{_mapping_layer(found[1], 'Dense')}", found[3])
        found = _SYNTHESIS.fullmatch(name)
        return None if found is None else _synthesis_entry(int(found[1]), found[2], found[3])


class TensorFlowDiscriminator(TensorFlowReader):
    """``D``."""

    network = StyleGAN2Discriminator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `discriminator_config`."""
        return discriminator_config(shapes)

    stated: ClassVar[Mapping[str, str]] = {
        **_PRECISION,
        "nonlinearity": "activation",
        "resample_kernel": "resample_filter",
        "mapping_lrmul": "mapping_lr",
        "mapping_nonlinearity": "mapping_activation",
        "mbstd_group_size": "mbstd_group_size",
    }
    defaults: ClassVar[Mapping[str, Any]] = {"mapping_lr": 0.1}

    def image_size(self, shapes: Shapes) -> int:
        """The largest resolution with layers of its own."""
        return _largest(shapes, "{0}x{0}/Conv0/weight", first=8) if "4x4/Dense0/weight" in shapes else 0

    def possible(self, sizes: list[int]) -> Iterator[str]:
        """Those of every discriminator."""
        return discriminator_names(sizes)

    def entry(self, name: str, image_size: int) -> Entry | None:
        """Layers are named after their resolution."""
        if found := _MAPPING.fullmatch(name):
            return _dense(_mapping_layer(found[1], "Mapping"), found[3])
        found = _CRITIC.fullmatch(name)
        if found is None:
            return None
        size, layer, tensor = found[1], found[2], found[3]
        if layer == "out":
            return _dense("Output", tensor)
        prefix = f"{size}x{size}/{_CRITICS[layer]}"
        return _dense(prefix, tensor) if layer == "fc" else _convolution(prefix, tensor)


def _synthesis_entry(size: int, layer: str | None, tensor: str) -> Entry | None:
    if layer is None:
        return Entry("synthesis/4x4/Const/const", lambda t: t[0], lambda t: t[None]) if tensor == "const" else None
    if tensor == "noise_const":
        number = 2 * int(math.log2(size)) - (5 if layer == "conv0" else 4)
        return Entry(f"synthesis/noise{number}", lambda t: t[0, 0], lambda t: t[None, None])
    prefix = f"synthesis/{size}x{size}/" + ("Conv" if size == 4 and layer == "conv1" else _LAYERS[layer])
    if tensor in ("weight", "bias"):
        return _convolution(prefix, tensor, turned=layer in ("conv0", "skip"))
    return {
        "affine.weight": Entry(f"{prefix}/mod_weight", *_TRANSPOSED),
        "affine.bias": Entry(f"{prefix}/mod_bias", lambda t: t + 1, lambda t: t - 1),
        "noise_strength": Entry(f"{prefix}/noise_strength"),
    }.get(tensor)


def _convolution(prefix: str, tensor: str, *, turned: bool = False) -> Entry:
    if tensor == "bias":
        return Entry(f"{prefix}/bias")

    def read(weight: Tensor) -> Tensor:
        weight = weight.flip(0, 1) if turned else weight
        return weight.permute(3, 2, 0, 1).contiguous()

    def write(weight: Tensor) -> Tensor:
        weight = weight.permute(2, 3, 1, 0)
        return (weight.flip(0, 1) if turned else weight).contiguous()

    return Entry(f"{prefix}/weight", read, write)


def _dense(prefix: str, tensor: str) -> Entry:
    if tensor == "bias":
        return Entry(f"{prefix}/bias")
    return Entry(f"{prefix}/weight", *_TRANSPOSED)


def _mapping_layer(number: str | None, name: str) -> str:
    return "LabelEmbed" if number is None else f"{name}{number}"


def _largest(shapes: Shapes, pattern: str, first: int = 8) -> int:
    """The last resolution in sequence that has such a tensor; half of ``first`` where none has."""
    while pattern.format(first) in shapes and first < 1 << 16:
        first *= 2
    return first // 2
