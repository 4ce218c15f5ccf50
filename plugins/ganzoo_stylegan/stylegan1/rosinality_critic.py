"""Discriminators of rosinality's style-based-gan-pytorch.

As StyleGAN's, but each resolution changes its number of channels in its first convolution, not the second, and the whole batch
is compared. Old ones have no activation behind the layers that see the image. Resolutions that were never trained are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from ganzoo_stylegan.entries import Entry
from ganzoo_stylegan.stylegan1.layouts import taps
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Discriminator
from ganzoo_stylegan.stylegan1.ports import MOST_STAGES, STYLE_GAIN, PortReader, Shapes, numbered, widths_of
from ganzoo_stylegan.stylegan1.rosinality import (
    ends,
    is_trained,
    renumbered,
    turned_filter,
)
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE, stages
from ganzoo_stylegan.stylegan1.synthesis import FUSED_SIZE

# Until a resolution is trained.
_ZERO = ("conv1.0.conv.bias", "conv2.0.conv.bias", "conv2.1.conv.bias", "conv2.1.bias")


class RosinalityDiscriminator(PortReader):
    """``Discriminator``: ``discriminator``."""

    network = StyleGAN1Discriminator

    def pick(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Without the resolutions that were never trained; they come first here."""
        if "linear.linear.weight_orig" not in state:
            return state
        trained = [is_trained(state, f"progression.{i}", _ZERO) for i in range(MOST_STAGES)]
        kept = renumbered(state, trained.index(True) if any(trained) else 0, MOST_STAGES)
        return _spelt(kept, sum(f"progression.{i}.conv1.0.conv.bias" in kept for i in range(MOST_STAGES)))

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything."""
        convs = numbered(shapes, "progression.{}.conv1.0.conv.weight_orig")
        active = "from_rgb.0.0.conv.weight_orig" in shapes
        image = shapes.get(f"from_rgb.0.{'0.' if active else ''}conv.weight_orig")
        dense = shapes.get(f"progression.{len(convs) - 1}.conv2.0.conv.weight_orig")
        if not convs or image is None or dense is None or "linear.linear.weight_orig" not in shapes:
            return None
        widths = [convs[-1][0], *(shape[1] for shape in convs[-2::-1])]
        return {
            "image_size": FIRST_SIZE << (len(convs) - 1),
            "channels": image[1],
            "widths": widths,
            "dense_width": dense[0],
            "blur": taps(shapes.get("progression.0.conv2.0.weight"), len(convs) > 1),
            "widens_first": True,
            "image_activation": active,
            "std_group": None,
            "std_channels": max(1, convs[-1][1] - widths[0]),
        }

    def entries(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """From the image inwards."""
        last = stages(config["image_size"]) - 1
        for i in range(last + 1):
            yield from ends(f"from_image.{i}", f"from_rgb.{i}.{'0.' if config['image_activation'] else ''}conv")
            if i == last:
                break
            yield from ends(f"stages.{i}.conv", f"progression.{i}.conv1.0.conv")
            yield from _halving(i, last, config)
        yield from ends("conv", f"progression.{last}.conv1.0.conv")
        dense = f"progression.{last}.conv2.0.conv"
        yield "dense.weight", Entry(f"{dense}.weight_orig", lambda t: t.flatten(1) if t.dim() > 1 else t, _square)
        yield "dense.bias", Entry(f"{dense}.bias")
        yield from ends("scores", "linear.linear", STYLE_GAIN)

    def constants(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """As for the generator."""
        return {
            f"progression.{i}.conv2.0.weight_flip": turned_filter(config, width)
            for i, width in enumerate(widths_of(config)[-2::-1])
            if config["blur"] is not None
        }


def _halving(i: int, last: int, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """The second half of a resolution."""
    ours, theirs = f"stages.{i}.down", f"progression.{i}.conv2"
    if _fused_down(last - i):
        yield f"{ours}.weight", Entry(f"{theirs}.1.weight")
        yield f"{ours}.bias", Entry(f"{theirs}.1.bias")
    else:
        yield from ends(ours, f"{theirs}.1.conv")
    if config["blur"] is not None:
        yield f"{ours}.blur.kernel", Entry(f"{theirs}.0.weight")


def _fused_down(stage: int) -> bool:
    """Whether the program fuses that resolution unless told otherwise; to halve the size it is the same function either way."""
    return FIRST_SIZE << stage >= FUSED_SIZE


def _square(weight: Tensor) -> Tensor:
    return weight.view(len(weight), -1, FIRST_SIZE, FIRST_SIZE)


def _spelt(state: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """With the names that a network of ``count`` resolutions has when its program's default of fusing layers was left."""
    renamed: dict[str, str] = {}
    for i in range(count - 1):
        usual, other = (f"progression.{i}.conv2.1.{end}" for end in ("weight", "conv.weight_orig"))
        bias, other_bias = (f"progression.{i}.conv2.1.{end}" for end in ("bias", "conv.bias"))
        pairs = {other: usual, other_bias: bias}
        renamed |= pairs if _fused_down(count - 1 - i) else {new: old for old, new in pairs.items()}
    return {renamed.get(key, key) if renamed.get(key) not in state else key: tensor for key, tensor in state.items()}
