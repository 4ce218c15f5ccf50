"""The names that StudioGAN (Kang, Shin and Park 2023, arXiv:2206.09479) gives to the parts that all its networks share.

Its backbones belong to different families, whose layout readers build on this. Everything that makes keys returns them as
``{their name: our name}``; our names of a part are those of the module in `ganzoo.nn`. No torch is needed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ganzoo.checkpoint.layout import Shapes

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_ATTENTION = {"conv1x1_theta": "query", "conv1x1_phi": "key", "conv1x1_g": "value", "conv1x1_attn": "output"}


def weight(layer: str, spectral: bool) -> str:
    """The name of a layer's trained weight."""
    return f"{layer}.weight_orig" if spectral else f"{layer}.weight"


def layer_keys(theirs: str, ours: str, spectral: bool, *, bias: bool = True) -> dict[str, str]:
    """A convolution, linear layer or embedding, spectrally normalised or not."""
    parts = ["weight_orig", "weight_u", "weight_v"] if spectral else ["weight"]
    return {f"{theirs}.{part}": f"{ours}.{part}" for part in (["bias"] if bias else []) + parts}


def norm_keys(theirs: str, ours: str) -> dict[str, str]:
    """A batch normalisation with a gain and a bias of its own."""
    return {f"{theirs}.{part}": f"{ours}.{part}" for part in NORM}


def generator_norm_keys(theirs: str, ours: str, config: Mapping[str, Any], spectral: bool) -> dict[str, str]:
    """A batch normalisation inside a generator: `ganzoo.nn.ConditionalBatchNorm2d` where ``config`` says ``cBN``."""
    if config.get("conditioning", "none") == "none":
        return norm_keys(theirs, ours)
    keys = {f"{theirs}.bn.{part}": f"{ours}.bn.{part}" for part in NORM[2:]}
    for name in ("gain", "bias"):
        keys |= layer_keys(f"{theirs}.{name}", f"{ours}.{name}", spectral, bias=False)
    return keys


def generator_condition(shapes: Shapes, norm: str, spectral: bool) -> dict[str, Any]:
    """The arguments ``conditioning`` and ``num_classes``, told from the generator's batch normalisation ``norm``."""
    gain = shapes.get(weight(f"{norm}.gain", spectral), ())
    return {"conditioning": "cBN", "num_classes": gain[1]} if len(gain) == 2 else {"conditioning": "none", "num_classes": 0}


# --- blocks and the attention between them ----------------------------------------------------------------------------


def attention_places(shapes: Shapes) -> list[int]:
    """After which of the blocks, counted from one, attention stands; it takes an entry of its own in ``blocks``."""
    entries = [int(m[1]) for key in shapes if (m := re.fullmatch(r"blocks\.(\d{1,2})\.0\.sigma", key))]
    return [entry - i for i, entry in enumerate(sorted(entries))]


def block_names(count: int, attention: Sequence[int]) -> list[tuple[str, str | None]]:
    """The names of ``count`` blocks in order, each with that of the attention after it, if there is one."""
    names: list[tuple[str, str | None]] = []
    entry = 0
    for number in range(1, count + 1):
        attends = number in attention
        names.append((f"blocks.{entry}.0", f"blocks.{entry + 1}.0" if attends else None))
        entry += 2 if attends else 1
    return names


def attention_keys(theirs: str, ours: str, spectral: bool) -> dict[str, str]:
    """A `ganzoo.nn.SelfAttention`."""
    keys = {f"{theirs}.sigma": f"{ours}.gain"}
    for their_layer, our_layer in _ATTENTION.items():
        keys |= layer_keys(f"{theirs}.{their_layer}", f"{ours}.{our_layer}", spectral, bias=False)
    return keys


# --- the discriminator's last layers ----------------------------------------------------------------------------------


def head_config(shapes: Shapes, spectral: bool) -> dict[str, Any] | None:
    """Which conditioning the last layers are for; None where there are none. Of those with the same keys the likeliest.

    The multi-hinge and the per-class score have no layers of their own, the embeddings of the contrastive and the
    data-to-data losses are the same, and classes that ``ADC`` doubled look like twice as many.
    """
    score = shapes.get(weight("linear1", spectral), ())
    if len(score) != 2:
        return None
    second, proxies = shapes.get(weight("linear2", spectral)), shapes.get(weight("embedding", spectral))
    extra = {"auxiliary": "TAC"} if weight("linear_mi", spectral) in shapes else {}
    if second and proxies:
        return {"conditioning": "2C", "num_classes": proxies[0], "embedding_size": second[0], **extra}
    if second:
        return {"conditioning": "AC", "num_classes": second[0], **extra}
    if proxies:
        return {"conditioning": "PD", "num_classes": proxies[0]}
    return {"conditioning": "MH", "num_classes": score[0] - 1} if score[0] > 1 else {"conditioning": "none", "num_classes": 0}


def head_keys(config: Mapping[str, Any], ours: str, spectral: bool) -> dict[str, str]:
    """A `ganzoo.nn.ClassHead` of these arguments."""
    conditioning = config.get("conditioning", "none")
    embeds = conditioning in ("2C", "D2DCE")
    keys = layer_keys("linear1", f"{ours}.score", spectral)
    if conditioning == "AC" or embeds:
        keys |= layer_keys("linear2", f"{ours}.second", spectral, bias=embeds)
    if conditioning == "PD" or embeds:
        keys |= layer_keys("embedding", f"{ours}.proxies", spectral, bias=False)
    if config.get("auxiliary", "none") == "TAC":
        keys |= layer_keys("linear_mi", f"{ours}.information", spectral, bias=embeds)
        if embeds:
            keys |= layer_keys("embedding_mi", f"{ours}.information_proxies", spectral, bias=False)
    return keys
