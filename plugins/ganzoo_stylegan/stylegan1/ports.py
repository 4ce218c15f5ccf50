"""What the readers of PyTorch ports share whose files hold less than a network of ours, or scale weights in another way."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganzoo.building import skeleton
from ganzoo.checkpoint import LayoutReader
from ganzoo.errors import ConfigError
from ganzoo_stylegan.average import mean_w
from ganzoo_stylegan.entries import Entry
from ganzoo_stylegan.stylegan1.discriminator import StyleGAN1Discriminator
from ganzoo_stylegan.stylegan1.mapping import MappingNetwork
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Generator
from ganzoo_stylegan.stylegan1.sizes import stage_widths

Shapes = Mapping[str, tuple[int, ...]]
AVERAGE = "mapping.w_avg"
TORCH_EPS = 1e-5  # of the instance normalisation of PyTorch, where its default was left
STYLE_GAIN = math.sqrt(2)  # that layers without an activation have, too, where all weights are scaled with He's constant
MOST_LAYERS = 64  # of a mapping network that anybody would have
MOST_STAGES = 20  # resolutions


class PortReader(LayoutReader):
    """A subclass says where each tensor is kept, and what files do not have is made."""

    network: type[StyleGAN1Generator] | type[StyleGAN1Discriminator]

    @abstractmethod
    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """The network's arguments, as for `config`; shapes may have any number of dimensions."""

    @abstractmethod
    def entries(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """Our name of every tensor that files have, and where it is kept."""

    def constants(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Tensors of files that say nothing: by default none."""
        return {}

    def optional(self, config: Mapping[str, Any]) -> dict[str, float]:
        """Nothing is lost with the constants."""
        return dict.fromkeys(self.constants(config), 0)

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Told from the shapes, if a network of ours has such arguments."""
        try:
            config = self.told(shapes)
            return config if config is None else dict(skeleton(self.network, config).config)
        except (IndexError, ConfigError):  # tensors of other dimensions: the file is none of these, or damaged
            return None

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Every key; nothing of ours stands for a constant."""
        return {**{entry.key: name for name, entry in self.entries(config)}, **dict.fromkeys(self.constants(config), "")}

    def convert(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Ours from theirs, and what they do not have."""
        found = {name: entry.read(state[entry.key]) for name, entry in self.entries(config)}
        if AVERAGE in found and not found[AVERAGE].dim():  # a lone number stands for one that is not there
            del found[AVERAGE]
        return {**found, **self.made(found, config)}

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Theirs from ours, as far as they have it."""
        written = {entry.key: entry.write(state[name]).contiguous() for name, entry in self.entries(config)}
        return {**written, **self.constants(config)}

    def made(self, found: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Tensors of ours that no file has."""
        like = next(iter(found.values()))
        shapes = skeleton(self.network, config).shapes
        made: dict[str, Tensor] = {}
        for name in (name for name in shapes if name not in found):
            if name == AVERAGE:
                made[name] = average(found, config)
            elif name.endswith(".styled.noise"):
                made[name] = _noise(name, shapes[name], like)
            else:  # a bias that a port leaves out, a level of detail
                made[name] = torch.zeros(shapes[name], device=like.device)
        return made


def average(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> Tensor:
    """The mean of ``w``, computed from the mapping network.

    Args:
        state: Of a generator, under our names.
        config: Its arguments.
    """
    mapping = MappingNetwork(
        config["z_dim"],
        config["num_classes"],
        config["w_dim"],
        num_layers=config["mapping_layers"],
        width=config["mapping_width"],
        lr_multiplier=config["mapping_lr"],
        equalised=config["equalised"],
    )
    weights = {name.removeprefix("mapping."): tensor for name, tensor in state.items() if name.startswith("mapping.")}
    return mean_w(mapping, weights, config["z_dim"], config["num_classes"])


def _noise(name: str, shape: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal numbers, the same whenever the file is read."""
    if like.is_meta:
        return torch.empty(*shape, device="meta")
    number = int(name.split(".")[2])  # of the layer
    return torch.randn(*shape, generator=torch.Generator("cpu").manual_seed(number)).to(like.device)


def widths_of(config: Mapping[str, Any]) -> list[int]:
    """Channels at each resolution, 4x4 first, of a network with these arguments."""
    return stage_widths(config["image_size"], config["channel_base"], config["channel_max"], config["widths"])


def blur_entry(key: str, channels: int) -> Entry:
    """A filter that a port stores once for all channels."""
    return Entry(key, lambda t: torch.cat([t] * channels) if t.dim() else t, lambda t: t[:1])


def raised(bias: Tensor, by: float) -> Tensor:
    """The bias of a style with a number added to its first half, the scales: ours are added to 1."""
    half = bias.shape[:1].numel() // 2
    return torch.cat([bias[:half] + by, bias[half:]]) if bias.dim() else bias


def numbered(shapes: Shapes, pattern: str) -> list[tuple[int, ...]]:
    """The shapes of keys that are numbered from 0 in sequence."""
    found: list[tuple[int, ...]] = []
    while pattern.format(len(found)) in shapes and len(found) < MOST_STAGES:
        found.append(shapes[pattern.format(len(found))])
    return found
