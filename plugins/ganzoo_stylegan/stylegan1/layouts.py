"""Checkpoints of genforce, the PyTorch port that follows the authors' program variable by variable. No torch is needed."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganzoo.checkpoint import LayoutReader
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE, stages

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
MOST_STAGES = 14  # 32768 pixels: more than anybody could compute
_MOST_TAPS = 63
_STYLED = {
    "style.weight": "styled.style.weight",
    "style.bias": "styled.style.bias",
}
_NOISE = {"apply_noise.weight": "styled.noise_weight", "apply_noise.noise": "styled.noise"}
_ENDS = {"weight": "weight", "bias": "bias"}


class GenforceGenerator(LayoutReader):
    """``models.generator`` and ``models.generator_smooth``."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but what changes no shape: the mapping's multiplier, which layers are fused, tanh, unscaled weights."""
        dense = _numbered(shapes, r"mapping\.dense(\d{1,2})\.weight", 2)
        styles = _numbered(shapes, r"synthesis\.layer(\d{1,2})\.style\.bias", 1)
        last = shapes.get("synthesis.layer1.style.weight", ())
        shown = _numbered(shapes, r"synthesis\.output(\d{1,2})\.weight", 4)
        if len(last) != 2 or not styles or len(styles) % 2 or not shown or len(shown) not in (1, len(styles) // 2):
            return None
        if len(styles) > 2 * MOST_STAGES:
            return None
        own = bool(dense) and dense[-1][0] == len(styles) * last[1] != last[1]
        label = shapes.get("mapping.label_weight", ())
        noise = {0: "none", 1: "spatial", 2: "channel"}.get(len(shapes.get("synthesis.layer0.apply_noise.weight", ())), "none")
        return {
            "image_size": FIRST_SIZE << (len(styles) // 2 - 1),
            "channels": shown[-1][0],
            "z_dim": label[1] if len(label) == 2 else dense[0][1] if dense else last[1],
            "w_dim": last[1],
            "num_classes": label[0] if len(label) == 2 else 0,
            "mapping_layers": len(dense),
            "mapping_width": dense[0][0] if dense else last[1],
            "w_per_layer": own,
            "style_mixing": 0.0 if own else 0.9,
            "widths": [shape[0] // 2 for shape in styles[::2]],
            "const_input": "synthesis.layer0.const" in shapes,
            "blur": taps(shapes.get("synthesis.layer2.blur.kernel"), len(styles) > 2),
            "noise": noise,
            "growing": len(shown) == len(styles) // 2,
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Layers in the same order as ours."""
        keys = {"truncation.w_avg": "mapping.w_avg", "synthesis.lod": "synthesis.level.lod"}
        if config.get("num_classes"):
            keys["mapping.label_weight"] = "mapping.embed"
        for i in range(config["mapping_layers"]):
            keys |= _renamed(f"mapping.dense{i}.", f"mapping.fc{i}.", _ENDS)
        count = stages(config["image_size"])
        for i in range(2 * count):
            theirs, ours = f"synthesis.layer{i}.", f"synthesis.layers.{i}."
            first = "const" if i == 0 and config["const_input"] else "weight"
            keys |= _renamed(theirs, f"{ours}conv.", {first: first, "bias": "bias"})
            keys |= _renamed(theirs, ours, _STYLED if config["noise"] == "none" else _STYLED | _NOISE)
            if i and not i % 2 and config["blur"] is not None:
                keys[f"{theirs}blur.kernel"] = f"{ours}conv.blur.kernel"
        for i in range(count if config["growing"] else 1):
            # Numbered by resolution, so that the only one has the last number.
            number = i if config["growing"] else count - 1
            keys |= _renamed(f"synthesis.output{number}.", f"synthesis.to_image.{i}.", _ENDS)
        return keys

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Keys are renamed, and a beginning from ``w`` becomes a linear map."""
        made = super().convert(state, config)
        if not config["const_input"]:  # theirs is a convolution of a single pixel, which sees the kernel from its end
            made[_BEGINNING] = made[_BEGINNING].flip(2, 3).permute(0, 2, 3, 1).flatten(0, 2)
        return made

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """The inverse of `convert`."""
        made = super().export(state, config)
        if not config["const_input"]:
            weight = state[_BEGINNING].view(-1, FIRST_SIZE, FIRST_SIZE, state[_BEGINNING].shape[1]).permute(0, 3, 1, 2)
            made["synthesis.layer0.weight"] = weight.flip(2, 3).contiguous()
        return made


_BEGINNING = "synthesis.layers.0.conv.weight"


class GenforceDiscriminator(LayoutReader):
    """``models.discriminator``."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but what changes no shape: the size of a group, unscaled weights, one class."""
        convs = _numbered(shapes, r"layer(\d{1,2})\.weight", 4)
        shown = _numbered(shapes, r"input(\d{1,2})\.weight", 4)
        count = (len(convs) + 1) // 2
        dense, scores = (shapes.get(f"layer{len(convs) + i}.weight", ()) for i in (0, 1))
        if len(convs) % 2 == 0 or not shown or len(shown) not in (1, count) or count > MOST_STAGES:
            return None
        if len(dense) != 2 or len(scores) != 2:
            return None
        widths = [shape[0] for shape in convs[::-2]]
        more = convs[-1][1] - widths[0]
        return {
            "image_size": FIRST_SIZE << (count - 1),
            "channels": shown[0][1],
            "num_classes": scores[0] if scores[0] > 1 else 0,
            "widths": widths,
            "dense_width": dense[0],
            "blur": taps(shapes.get("layer1.blur.kernel"), count > 1),
            "std_group": 4 if more else 0,
            "std_channels": max(1, more),
            "growing": len(shown) == count,
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Layers in the same order as ours, from the image inwards."""
        count = stages(config["image_size"])
        keys = {"lod": "level.lod"}
        for i in range(count if config["growing"] else 1):
            keys |= _renamed(f"input{i}.", f"from_image.{i}.", _ENDS)
        for i in range(2 * count - 2):
            keys |= _renamed(f"layer{i}.", f"stages.{i // 2}.{('conv', 'down')[i % 2]}.", _ENDS)
            if i % 2 and config["blur"] is not None:
                keys[f"layer{i}.blur.kernel"] = f"stages.{i // 2}.down.blur.kernel"
        for i, name in enumerate(("conv", "dense", "scores"), start=2 * count - 2):
            keys |= _renamed(f"layer{i}.", f"{name}.", _ENDS)
        return keys


def _renamed(theirs: str, ours: str, names: Mapping[str, str]) -> dict[str, str]:
    return {theirs + their: ours + our for their, our in names.items()}


def _numbered(shapes: Shapes, pattern: str, dimensions: int) -> list[tuple[int, ...]]:
    """The shapes of the keys that fit ``pattern`` in the order of its number; none where one has other dimensions.

    A single one may have any number, several are numbered from 0.
    """
    found = {int(match[1]): shapes[key] for key in shapes if (match := re.fullmatch(pattern, key))}
    found = {number: shape for number, shape in found.items() if len(shape) == dimensions}
    return [found[i] for i in sorted(found)] if len(found) == 1 or sorted(found) == list(range(len(found))) else []


def taps(kernel: tuple[int, ...] | None, changes: bool) -> list[int] | None:
    """Of a blur with that kernel. Its values are stored; binomial taps, of which the authors' [1, 2, 1] are, stand for them."""
    if kernel is None or len(kernel) != 4:
        return None if changes else [1, 2, 1]
    return [math.comb(kernel[2] - 1, i) for i in range(min(kernel[2], _MOST_TAPS))]
