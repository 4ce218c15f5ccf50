"""BigGAN-PyTorch's checkpoints: ``G.pth``, ``G_ema.pth`` and ``D.pth`` of its BigGAN and BigGAN-deep. No torch is needed."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganzoo.checkpoint import LayoutReader
from ganzoo_biggan import plans

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
_ATTENTION = {"theta": "query", "phi": "key", "g": "value", "o": "output"}
_SPECTRAL = {"weight": "weight_orig", "u0": "weight_u", "sv0": "weight_sigma"}
_PLAIN = {"weight": "weight"}
_STATISTICS = {"stored_mean": "mean", "stored_var": "var"}


class BigGANReader(LayoutReader):
    """The parts of all four networks. A scalar and a row of theirs are vectors of ours."""

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Keys are renamed, the attention's gain and the singular vectors made one-dimensional."""
        flat = (".gamma", ".u0")
        return {ours: state[key].reshape(-1) if key.endswith(flat) else state[key] for key, ours in self.keys(config).items()}

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """The inverse."""
        exported = {theirs: state[ours] for theirs, ours in self.keys(config).items()}
        for key, tensor in exported.items():
            if key.endswith((".gamma", ".u0")):
                exported[key] = tensor.reshape(() if key.endswith(".gamma") else (1, -1))
        return exported


# --- generators -------------------------------------------------------------------------------------------------------


class BigGANGeneratorReader(BigGANReader):
    """BigGAN's generator, its classes shared or not, its latent hierarchical or not."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the two constants and whether counted statistics are sums."""
        widths, image_size = _widths(shapes, "conv1", "conv2"), None
        for size in plans.SIZES:
            width = _width(widths, plans.UP[size])
            if width:
                image_size, found = size, width
        if image_size is None or "blocks.0.0.conv4.weight" in shapes:
            return None
        known = _generator_config(shapes, widths[0], image_size, len(widths) - 1)
        condition = _condition(shapes, widths, len(widths) - 1) if known else None
        return None if condition is None else {"width": found, **(known or {}), **condition}

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Attention follows its block in their list of it."""
        stages = plans.generator_stages(config["image_size"], config["width"])
        spectral, shared = config.get("spectral_norm", True), config.get("shared", True)
        places = plans.attention_after(stages, config.get("attention"), config["image_size"])
        keys = _generator_ends(config, has_embedding=bool(config.get("num_classes") and shared))
        plain = not config.get("hierarchical", True) and not config.get("num_classes")
        for index in range(len(stages)):
            for theirs, ours in {"conv1": "conv1", "conv2": "conv2", "conv_sc": "shortcut"}.items():
                keys |= _layer(f"blocks.{index}.0.{theirs}", f"blocks.{index}.{ours}", spectral)
            for number in (1, 2):
                names = f"blocks.{index}.0.bn{number}", f"blocks.{index}.norm{number}"
                keys |= _norm(*names, config, _PLAIN if not shared else None, plain=plain)
            if index in places:
                keys |= _attention(f"blocks.{index}.1", f"attention.{index + 1}", spectral)
        return keys


class BigGANDeepGeneratorReader(BigGANReader):
    """BigGAN-deep's generator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the two constants and whether counted statistics are sums."""
        widths = _widths(shapes, "conv1", "conv4")
        for size in plans.SIZES:
            stages = len(plans.UP[size]) - 1
            depth, rest = divmod(len(widths) - 1, stages)
            if rest or not depth or "blocks.0.0.conv4.weight" not in shapes:
                continue
            unit = [plans.UP[size][0], *(block.after for block in plans.deep_blocks(plans.generator_stages(size, 1), depth))]
            width = _width(widths, unit)
            known = _generator_config(shapes, widths[0], size, stages, depth) if width else None
            condition = _deep_condition(shapes, widths[0], known) if known else None
            if condition is not None:
                return {"width": width, "depth": depth, **(known or {}), **condition}
        return None

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Each block is a list of its own; attention follows the last one of its stage in that list."""
        stages = plans.generator_stages(config["image_size"], config["width"])
        depth, spectral = config.get("depth", 2), config.get("spectral_norm", True)
        places = plans.attention_after(stages, config.get("attention"), config["image_size"])
        keys = _generator_ends(config, has_embedding=bool(config.get("num_classes")))
        for index in range(len(stages) * depth):
            for number in (1, 2, 3, 4):
                keys |= _layer(f"blocks.{index}.0.conv{number}", f"blocks.{index}.conv{number}", spectral)
                keys |= _norm(f"blocks.{index}.0.bn{number}", f"blocks.{index}.norm{number}", config)
        for place in places:
            last = (place + 1) * depth - 1
            keys |= _attention(f"blocks.{last}.1", f"attention.{last + 1}", spectral)
        return keys


# --- discriminators ---------------------------------------------------------------------------------------------------


class BigGANDiscriminatorReader(BigGANReader):
    """BigGAN's discriminator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the constant of the spectral normalisation."""
        widths = _widths(shapes, "conv1", "conv2")
        for size in plans.SIZES:
            width = _width(widths[1:], plans.DOWN[size])
            if width and "blocks.0.0.conv4.weight" not in shapes:
                stages = plans.discriminator_stages(size, width, widths[0])
                wide = shapes["blocks.0.0.conv1.weight"][0] == stages[0].after
                return {"width": width, "channels": widths[0], "wide": wide, **_discriminator_config(shapes, stages, size, 1)}
        return None

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Attention follows its block in their list of it."""
        stages = plans.discriminator_stages(config["image_size"], config["width"], config.get("channels", 3))
        spectral = config.get("spectral_norm", True)
        places = plans.attention_after(stages, config.get("attention"), config["image_size"])
        keys = _discriminator_head(config)
        for index, stage in enumerate(stages):
            projects = stage.resamples or stage.before != stage.after
            for theirs, ours in {"conv1": "conv1", "conv2": "conv2", "conv_sc": "shortcut"}.items():
                if projects or ours != "shortcut":
                    keys |= _layer(f"blocks.{index}.0.{theirs}", f"blocks.{index}.{ours}", spectral)
            if index in places:
                keys |= _attention(f"blocks.{index}.1", f"attention.{index + 1}", spectral)
        return keys


class BigGANDeepDiscriminatorReader(BigGANReader):
    """BigGAN-deep's discriminator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the constant of the spectral normalisation."""
        widths = _widths(shapes, "conv1", "conv4")
        first = shapes.get("input_conv.weight", ())
        depth = len({key for key in shapes if re.fullmatch(r"blocks\.0\.\d{1,2}\.conv1\.weight", key)})
        for size in plans.SIZES:
            width = _width(widths, plans.DOWN[size])
            if width and len(first) == 4 and depth:
                stages = plans.deep_discriminator_stages(size, width)
                known = _discriminator_config(shapes, stages, size, depth)
                return {"width": width, "depth": depth, "channels": first[1], **known}
        return None

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """The blocks of a stage are one list, attention at its end."""
        stages = plans.deep_discriminator_stages(config["image_size"], config["width"])
        depth, spectral = config.get("depth", 2), config.get("spectral_norm", True)
        places = plans.attention_after(stages, config.get("attention"), config["image_size"])
        keys = _discriminator_head(config) | _layer("input_conv", "first", spectral)
        for index, stage in enumerate(stages):
            for number in range(depth):
                theirs, ours = f"blocks.{index}.{number}", f"blocks.{index * depth + number}"
                for convolution in ("conv1", "conv2", "conv3", "conv4"):
                    keys |= _layer(f"{theirs}.{convolution}", f"{ours}.{convolution}", spectral)
                if number == 0 and stage.before != stage.after:
                    keys |= _layer(f"{theirs}.conv_sc", f"{ours}.shortcut", spectral)
            if index in places:
                keys |= _attention(f"blocks.{index}.{depth}", f"attention.{(index + 1) * depth}", spectral)
        return keys


# --- what a file tells ------------------------------------------------------------------------------------------------


def _widths(shapes: Shapes, first: str, last: str) -> list[int]:
    """Channels before the first block and after each one, as far as the blocks go on; the shapes may be of anything."""
    widths: list[int] = []
    while True:
        number = max(0, len(widths) - 1)
        one, other = (shapes.get(f"blocks.{number}.0.{name}.weight", ()) for name in (first, last))
        if len(one) != 4 or len(other) != 4 or not min(one[1], other[0]):
            return widths
        widths += [other[0]] if widths else [one[1], other[0]]


def _width(widths: Sequence[int], factors: Sequence[int]) -> int | None:
    """What the ``factors`` are multiplied by to give ``widths``; None where they are others."""
    width = widths[0] // factors[0] if widths else 0
    return width if width and [width * factor for factor in factors] == list(widths) else None


def _generator_config(shapes: Shapes, width: int, image_size: int, stages: int, depth: int = 1) -> dict[str, Any] | None:
    first, last = shapes.get("linear.weight", ()), shapes.get("output_layer.2.weight", ())
    if len(first) != 2 or len(last) != 4 or not min(*first, last[0]):
        return None
    counted = "output_layer.0.bn.accumulation_counter" in shapes
    resolutions = [stage.resolution for stage in plans.generator_stages(image_size, 1)]
    return {
        "image_size": image_size,
        "channels": last[0],
        "bottom_width": math.isqrt(first[0] // width),
        "spectral_norm": "linear.u0" in shapes,
        "statistics": "counted" if counted else "running",
        "attention": [size for i, size in enumerate(resolutions) if f"blocks.{(i + 1) * depth - 1}.1.gamma" in shapes],
    }


def _condition(shapes: Shapes, widths: Sequence[int], stages: int) -> dict[str, Any] | None:
    """Classes and latent, told from the first layer, the embedding and one of the gains."""
    first, table = shapes["linear.weight"], shapes.get("shared.weight", ())
    gain = shapes.get("blocks.0.0.bn1.gain.weight", shapes.get("blocks.0.0.bn1.gain", ()))
    if len(gain) == 1 and not table:
        return {"latent_size": first[1], "num_classes": 0, "hierarchical": False}
    if len(gain) != 2 or len(table) not in (0, 2):
        return None
    if not table and gain[1] == widths[0] and "blocks.0.0.bn1.gain.u0" not in shapes:
        return {"latent_size": first[1], "num_classes": gain[0], "shared": False, "hierarchical": False}
    chunk = gain[1] - (table[1] if table else 0)
    if chunk not in (0, first[1]):
        return None
    latent = {"latent_size": first[1] * (stages + 1 if chunk else 1), "hierarchical": bool(chunk)}
    return latent | ({"num_classes": table[0], "embedding_size": table[1]} if table else {"num_classes": 0})


def _deep_condition(shapes: Shapes, width: int, known: Mapping[str, Any]) -> dict[str, Any] | None:
    table, first = shapes.get("shared.weight", ()), shapes["linear.weight"]
    if len(table) not in (0, 2):
        return None
    latent = first[1] - (table[1] if table else 0)
    if latent < 1:
        return None
    return {"latent_size": latent, **({"num_classes": table[0], "embedding_size": table[1]} if table else {"num_classes": 0})}


def _discriminator_config(shapes: Shapes, stages: Sequence[plans.Stage], image_size: int, depth: int) -> dict[str, Any]:
    places = {stage.resolution for i, stage in enumerate(stages) if f"blocks.{i}.{depth}.gamma" in shapes}
    return {
        "image_size": image_size,
        "num_classes": (*shapes.get("embed.weight", ()), 0)[0],
        "attention": sorted(places, reverse=True),
        "spectral_norm": "linear.u0" in shapes,
    }


# --- their names and ours ---------------------------------------------------------------------------------------------


def _layer(theirs: str, ours: str, spectral: bool, *, bias: bool = True) -> dict[str, str]:
    parts = {**({"bias": "bias"} if bias else {}), **(_SPECTRAL if spectral else _PLAIN)}
    return {f"{theirs}.{their_part}": f"{ours}.{our_part}" for their_part, our_part in parts.items()}


def _attention(theirs: str, ours: str, spectral: bool) -> dict[str, str]:
    keys = {f"{theirs}.gamma": f"{ours}.gain"}
    for name, layer in _ATTENTION.items():
        keys |= _layer(f"{theirs}.{name}", f"{ours}.{layer}", spectral, bias=False)
    return keys


def _norm(
    theirs: str, ours: str, config: Mapping[str, Any], parts: Mapping[str, str] | None = None, *, plain: bool = False
) -> dict[str, str]:
    """Gain, bias and statistics; counted statistics have a module of their own in theirs."""
    counted = config.get("statistics", "running") != "running"
    where = f"{theirs}.bn" if counted else theirs
    names = {**_STATISTICS, **({"accumulation_counter": "count"} if counted else {})}
    keys = {f"{where}.{their_part}": f"{ours}.statistics.{our_part}" for their_part, our_part in names.items()}
    if plain:
        return keys | {f"{theirs}.gain": f"{ours}.gain", f"{theirs}.bias": f"{ours}.bias"}
    chosen = parts or (_SPECTRAL if config.get("spectral_norm", True) else _PLAIN)
    for name in ("gain", "bias"):
        keys |= {f"{theirs}.{name}.{their_part}": f"{ours}.{name}.{our_part}" for their_part, our_part in chosen.items()}
    return keys


def _generator_ends(config: Mapping[str, Any], *, has_embedding: bool) -> dict[str, str]:
    spectral = config.get("spectral_norm", True)
    keys = _layer("linear", "first", spectral) | _layer("output_layer.2", "last", spectral)
    keys |= _norm("output_layer.0", "norm", config, plain=True)
    return keys | ({"shared.weight": "embedding.weight"} if has_embedding else {})


def _discriminator_head(config: Mapping[str, Any]) -> dict[str, str]:
    spectral = config.get("spectral_norm", True)
    keys = _layer("linear", "head.score", spectral)
    return keys | (_layer("embed", "head.proxies", spectral, bias=False) if config.get("num_classes") else {})
