"""Foreign checkpoints of DCGANs: the keys and shapes they have. No torch is needed to recognise them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ganzoo.checkpoint import LayoutReader

Shapes = Mapping[str, tuple[int, ...]]
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


class TutorialGenerator(LayoutReader):
    """``netG`` of PyTorch's DCGAN tutorial and examples: ``main.<index>``, each convolution followed by its normalisation."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Arguments from the convolutions: the number of the last one gives the size, their shapes everything else."""
        layers = _convolutions(shapes)
        last = max(layers, default=0)
        channels = _channels([layers.get(i) for i in range(0, last + 1, 3)], before=0, after=1)
        if channels is None or last % 3:
            return None
        latent_size, *hidden, image = channels
        # At 28 pixels a last layer with a 1x1 kernel crops 32 pixels.
        size = 28 if layers[last][2:] == (1, 1) else 4 << len(hidden)
        return {"image_size": size, "channels": image, "latent_size": latent_size, **_widths(hidden, small_end_first=True)}

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Their names are ours."""
        stages = _stages(config["image_size"])
        names = [f"main.{3 * i}.weight" for i in range(stages + 1)]
        names += [f"main.{3 * i + 1}.{part}" for i in range(stages) for part in NORM]
        return {name: name for name in names}


class TutorialDiscriminator(LayoutReader):
    """``netD`` of PyTorch's DCGAN tutorial and examples; its first convolution has no normalisation."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Arguments from the convolutions, as for the generator."""
        layers = _convolutions(shapes)
        last = max(layers, default=0)
        channels = _channels([layers.get(i) for i in (0, *range(2, last + 1, 3))], before=1, after=0)
        if channels is None or last % 3 != 2:
            return None
        image, *hidden, _ = channels
        size = 28 if layers.get(5, ())[2:] == (3, 3) and len(hidden) == 3 else 4 << len(hidden)
        return {"image_size": size, "channels": image, **_widths(hidden, small_end_first=False)}

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Their names are ours."""
        stages = _stages(32 if config["image_size"] == 28 else config["image_size"])
        convolutions = [0, *(3 * i - 1 for i in range(1, stages + 1))]
        names = [f"main.{i}.weight" for i in convolutions]
        names += [f"main.{i + 1}.{part}" for i in convolutions[1:-1] for part in NORM]
        return {name: name for name in names}


class StudioGenerator(LayoutReader):
    """StudioGAN's ``deep_conv`` generator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the activation, which leaves no trace in the keys."""
        spectral = "linear0.weight_orig" in shapes
        first = shapes.get(_weight("linear0", spectral))
        last = shapes.get(_weight("conv4", spectral))
        if first is None or last is None or len(first) != 2 or len(last) != 4:
            return None
        condition = shapes.get(_weight("blocks.0.0.bn0.gain", spectral))
        conditional = condition is not None and len(condition) == 2
        return {
            "latent_size": first[1],
            "channels": last[0],
            "width": last[1],
            "spectral_norm": spectral,
            "attention": _attention(shapes),
            "conditioning": "cBN" if conditional else "none",
            "num_classes": condition[1] if condition is not None and conditional else 0,
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Names differ inside attention only."""
        spectral = bool(config["spectral_norm"])
        keys = [*_layer("linear0", spectral), *_layer("conv4", spectral)]
        attention = []
        for block, attends in _blocks(config):
            if attends:
                attention.append(block)
                continue
            keys += _layer(f"{block}.deconv0", spectral)
            if config.get("conditioning", "none") == "none":
                keys += [f"{block}.bn0.{part}" for part in NORM]
            else:
                keys += [f"{block}.bn0.bn.{part}" for part in NORM[2:]]
                keys += [key for name in ("gain", "bias") for key in _layer(f"{block}.bn0.{name}", spectral, bias=False)]
        return {**{key: key for key in keys}, **_attention_keys(attention, spectral)}


class StudioDiscriminator(LayoutReader):
    """StudioGAN's ``deep_conv`` discriminator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the activation, ``normalize_embedding`` and the choice between methods with the same keys."""
        spectral = "linear1.weight_orig" in shapes
        first = shapes.get(_weight("blocks.0.0.conv0", spectral))
        score = shapes.get(_weight("linear1", spectral))
        if first is None or score is None or len(first) != 4 or len(score) != 2:
            return None
        return {
            "channels": first[1],
            "width": first[0],
            "spectral_norm": spectral,
            "attention": _attention(shapes),
            **_heads(shapes, spectral, scores=score[0]),
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Names differ inside attention only."""
        spectral = bool(config["spectral_norm"])
        keys = [*_layer("conv1", spectral), *_layer("linear1", spectral)]
        norms = [] if spectral else ["bn1"]
        attention = []
        for block, attends in _blocks(config):
            if attends:
                attention.append(block)
                continue
            keys += [*_layer(f"{block}.conv0", spectral), *_layer(f"{block}.conv1", spectral)]
            norms += [] if spectral else [f"{block}.bn0", f"{block}.bn1"]
        keys += [f"{norm}.{part}" for norm in norms for part in NORM]
        keys += _head_keys(config, spectral)
        return {**{key: key for key in keys}, **_attention_keys(attention, spectral)}


# --- the tutorial -----------------------------------------------------------------------------------------------------


def _convolutions(shapes: Shapes) -> dict[int, tuple[int, ...]]:
    """Shapes of the four-dimensional ``main.<index>.weight`` by index."""
    found = ((re.fullmatch(r"main\.(\d{1,2})\.weight", key), shape) for key, shape in shapes.items() if len(shape) == 4)
    return {int(match[1]): shape for match, shape in found if match}


def _channels(layers: Sequence[tuple[int, ...] | None], *, before: int, after: int) -> list[int] | None:
    """Channels before the first layer, between neighbours and after the last; one that is missing is bridged by its neighbours.

    ``before`` and ``after`` are the axes of a weight that hold its input and output channels.
    """
    channels = []
    for left, right in zip([None, *layers], [*layers, None], strict=True):
        known = left[after] if left else right[before] if right else None
        if known is None:
            return None
        channels.append(known)
    return channels if len(channels) > 2 else None


def _stages(image_size: int) -> int:
    """Hidden layers of the generator: one at each of 4, 8, … half the image, and one more at 28 pixels."""
    return 4 if image_size == 28 else max(0, int(image_size).bit_length() - 3)


def _widths(widths: Sequence[int], *, small_end_first: bool) -> dict[str, Any]:
    """``width`` where each layer has twice the channels of its neighbour towards the image, else all ``widths``."""
    from_image = list(reversed(widths)) if small_end_first else list(widths)
    if all(channels == from_image[0] << i for i, channels in enumerate(from_image)):
        return {"width": from_image[0]}
    return {"widths": list(widths)}


# --- StudioGAN --------------------------------------------------------------------------------------------------------

_ATTENTION = {
    "conv1x1_theta": "query",
    "conv1x1_phi": "key",
    "conv1x1_g": "value",
    "conv1x1_attn": "output",
}


def _weight(layer: str, spectral: bool) -> str:
    return f"{layer}.weight_orig" if spectral else f"{layer}.weight"


def _layer(name: str, spectral: bool, *, bias: bool = True) -> list[str]:
    weights = ["weight_orig", "weight_u", "weight_v"] if spectral else ["weight"]
    return [f"{name}.{part}" for part in (["bias"] if bias else []) + weights]


def _attention(shapes: Shapes) -> list[int]:
    """After which of the blocks, counted from one, attention stands; it takes an entry of its own in ``blocks``."""
    entries = [int(m[1]) for key in shapes if (m := re.fullmatch(r"blocks\.(\d{1,2})\.0\.sigma", key))]
    return [entry - i for i, entry in enumerate(sorted(entries))]


def _blocks(config: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The entries of ``blocks`` in order, and whether each is an attention."""
    kinds: list[bool] = []
    for number in (1, 2, 3):
        kinds += [False, True] if number in (config.get("attention") or ()) else [False]
    return [(f"blocks.{i}.0", attends) for i, attends in enumerate(kinds)]


def _attention_keys(blocks: Sequence[str], spectral: bool) -> dict[str, str]:
    keys = {f"{block}.sigma": f"{block}.gain" for block in blocks}
    for block in blocks:
        for theirs, ours in _ATTENTION.items():
            names = zip(
                _layer(f"{block}.{theirs}", spectral, bias=False), _layer(f"{block}.{ours}", spectral, bias=False), strict=True
            )
            keys.update(names)
    return keys


def _heads(shapes: Shapes, spectral: bool, *, scores: int) -> dict[str, Any]:
    """Which conditioning the last layers are for. The multi-hinge and the per-class score have no layers of their own."""
    second, proxies = shapes.get(_weight("linear2", spectral)), shapes.get(_weight("embedding", spectral))
    information = _weight("linear_mi", spectral) in shapes
    classes = {"auxiliary": "TAC"} if information else {}
    if second is not None and proxies is not None:
        # The embeddings of the contrastive and the data-to-data losses are the same; the former is the reference's first.
        return {"conditioning": "2C", "num_classes": proxies[0], "embedding_size": second[0], **classes}
    if second is not None:
        return {"conditioning": "AC", "num_classes": second[0], **classes}
    if proxies is not None:
        return {"conditioning": "PD", "num_classes": proxies[0]}
    return {"conditioning": "MH", "num_classes": scores - 1} if scores > 1 else {"conditioning": "none", "num_classes": 0}


def _head_keys(config: Mapping[str, Any], spectral: bool) -> list[str]:
    conditioning = config.get("conditioning", "none")
    embeds = conditioning in ("2C", "D2DCE")
    information = config.get("auxiliary", "none") == "TAC"
    keys: list[str] = []
    for suffix, layer in (("", "linear2"), ("_mi", "linear_mi")):
        if suffix and not information:
            continue
        if conditioning == "AC" or embeds:
            keys += _layer(layer, spectral, bias=embeds)
        if embeds or (conditioning == "PD" and not suffix):
            keys += _layer(f"embedding{suffix}", spectral, bias=False)
    return keys
