"""The StyleGAN2 networks of NVIDIA's PyTorch programs: ``stylegan2-ada-pytorch`` and ``stylegan3``.

Their tensors have the names that ours have, so that a state dict fits as it is. Their snapshots say besides how the networks
were made; the two programs differ in what they leave to defaults, so the layers' own attributes are what counts.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from ganzoo.building import skeleton
from ganzoo.checkpoint import LayoutReader, Stated
from ganzoo.errors import ConfigError
from ganzoo.models import Network
from ganzoo_stylegan.stylegan2.average import average_w
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.shapes import Shapes, discriminator_config, generator_config

AVERAGE = "mapping.w_avg"


class SharedNames(LayoutReader):
    """A network whose tensors are named as ours.

    Attributes:
        network: Ours.
    """

    network: ClassVar[type[Network]]

    @abstractmethod
    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """Its arguments as far as the shapes of our tensors tell them."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but activations, clamps, learning rate multipliers, precision and the size of groups."""
        config = self.told(shapes)
        if config is None:
            return None
        try:
            self.names(config)
        except ConfigError:  # no network has such tensors: the file is none of ours, or damaged
            return None
        return config

    def names(self, config: Mapping[str, Any]) -> list[str]:
        """The names of the network's tensors."""
        return list(skeleton(self.network, config).shapes)

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Each name is its own."""
        return {name: name for name in self.names(config)}


class NvidiaGenerator(SharedNames):
    """``Generator``, in all its architectures."""

    network = StyleGAN2Generator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `generator_config`."""
        return generator_config(shapes)

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        """With activations, clamp, learning rate and precision."""
        layer = stated.part("synthesis.b4.conv1")
        blocks = (stated.part(f"synthesis.b{size}") for size in _sizes(config))
        said = {
            **_mapping(stated.part("mapping")),
            **_layer(layer),
            **_half(blocks),
        }
        beta = _number(stated.part("mapping"), "w_avg_beta")
        return {**config, **said, **({} if beta is None else {"w_avg_beta": beta})}

    def optional(self, config: Mapping[str, Any]) -> dict[str, float]:
        """The average of ``w``, which a network may have been made without."""
        return {AVERAGE: 0}

    def convert(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """The same tensors, and an average of ``w`` where there is none."""
        converted = {name: state[name] for name in self.names(config)}
        return with_average(converted, config)


class NvidiaDiscriminator(SharedNames):
    """``Discriminator``, in all its architectures."""

    network = StyleGAN2Discriminator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `discriminator_config`."""
        return discriminator_config(shapes)

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        """With activations, clamp, learning rate, precision and the size of groups."""
        said = {
            **_mapping(stated.part("mapping")),
            **_layer(stated.part("b8.conv0")),
            **_half(stated.part(f"b{size}") for size in _sizes(config)[1:]),
        }
        end = _layer(stated.part("b4.conv")).get("activation")
        if end != said.get("activation"):
            said["end_activation"] = end
        groups = stated.part("b4.mbstd")
        if groups is not None and "group_size" in groups.attributes:
            said["mbstd_group_size"] = groups.attributes["group_size"]
        return {**config, **said}


def with_average(state: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """``state`` with the mean of ``w`` computed where a lone number stands for it."""
    if state[AVERAGE].dim():
        return state
    return {**state, AVERAGE: average_w(state, config)}


# --- what a snapshot states -------------------------------------------------------------------------------------------


def _sizes(config: Mapping[str, Any]) -> list[int]:
    return [4 << i for i in range(len(config["widths"]))]


def _mapping(stated: Stated | None) -> dict[str, Any]:
    """Activation and learning rate of the layers from ``z`` to ``w``, which are all alike."""
    layer = None if stated is None else stated.part("fc0")
    said: dict[str, Any] = {}
    if layer is None:
        return said
    multiplier, activation = _number(layer, "bias_gain"), layer.attributes.get("activation")
    if multiplier is not None:
        said["mapping_lr"] = multiplier
    if isinstance(activation, str):
        said["mapping_activation"] = activation
    return said


def _layer(layer: Stated | None) -> dict[str, Any]:
    """Activation and clamp of the convolutions, which are all alike."""
    said: dict[str, Any] = {}
    if layer is None:
        return said
    activation = layer.attributes.get("activation")
    if isinstance(activation, str):
        said["activation"] = activation
    if "conv_clamp" in layer.attributes:
        said["conv_clamp"] = _number(layer, "conv_clamp")
    return said


def _half(blocks: Iterable[Stated | None]) -> dict[str, Any]:
    found = [block.attributes.get("use_fp16") is True for block in blocks if block is not None]
    return {"num_fp16_res": sum(found)} if found else {}


def _number(stated: Stated | None, name: str) -> float | None:
    value = None if stated is None else stated.attributes.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
