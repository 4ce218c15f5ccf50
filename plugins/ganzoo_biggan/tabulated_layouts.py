"""pytorch-pretrained-BigGAN's checkpoints, ``pytorch_model.bin``. No torch is needed to recognise them."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ganzoo.checkpoint import LayoutReader

Shapes = Mapping[str, tuple[int, ...]]
_PARTS = ("weight_orig", "weight_u", "weight_v")
_ATTENTION = {"theta": "query", "phi": "key", "g": "value", "o_conv": "output"}
_BLOCK = re.compile(r"generator\.layers\.(\d{1,3})\.conv_0\.weight_orig")
_GAIN = re.compile(r"generator\.layers\.(\d{1,3})\.gamma")


class TabulatedGeneratorReader(LayoutReader):
    """The generator with statistics for each truncation."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything that leaves a trace, and a guess at which blocks double the pixels, see `guess_doubling`.

        The reference's ``config.json`` says it in ``layers``, which the network's argument ``layers`` takes as it is.
        """
        table = shapes.get("embeddings.weight", ())
        first = shapes.get("generator.gen_z.weight_orig", ())
        statistics = shapes.get("generator.bn.running_means", ())
        if len(table) != 2 or len(first) != 2 or len(statistics) != 2:
            return None
        widths, attention = _widths(shapes), _attention_place(shapes)
        width = (*shapes.get("generator.conv_to_rgb.weight_orig", ()), 0)[0]
        if not widths or not width or any(channels % width for channels in widths):
            return None
        factors = [channels // width for channels in widths]
        return {
            "latent_size": first[1] - table[0],
            "width": width,
            "layers": [
                [doubles, before, after]
                for doubles, before, after in zip(guess_doubling(factors), factors[:-1], factors[1:], strict=True)
            ],
            "attention": attention,
            "num_classes": table[1],
            "embedding_size": table[0],
            "rows": statistics[0],
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Attention has a number among their layers."""
        keys = {"embeddings.weight": "embedding.weight"}
        keys |= _layer("generator.gen_z", "first") | _layer("generator.conv_to_rgb", "last")
        keys |= _statistics("generator.bn", "norm")
        keys |= {"generator.bn.weight": "norm.gain", "generator.bn.bias": "norm.bias"}
        attention = config.get("attention")
        for index in range(len(config["layers"])):
            number = index + (attention is not None and index >= attention)
            for part in range(4):
                theirs, ours = f"generator.layers.{number}", f"blocks.{index}"
                keys |= _layer(f"{theirs}.conv_{part}", f"{ours}.conv{part + 1}")
                norm = f"{theirs}.bn_{part}", f"{ours}.norm{part + 1}"
                keys |= _statistics(*norm)
                keys |= _layer(f"{norm[0]}.scale", f"{norm[1]}.gain", bias=False)
                keys |= _layer(f"{norm[0]}.offset", f"{norm[1]}.bias", bias=False)
        if attention is not None:
            keys |= {f"generator.layers.{attention}.gamma": f"attention.{attention}.gain"}
            for name, layer in _ATTENTION.items():
                theirs = f"generator.layers.{attention}.snconv1x1_{name}"
                keys |= _layer(theirs, f"attention.{attention}.{layer}", bias=False)
        return keys


def guess_doubling(widths: Sequence[int]) -> list[bool]:
    """Which blocks double the pixels: no shape says it.

    As in all published networks: those that change the channels, and of several that keep them every second one.

    Args:
        widths: Channels before the first block and after each one.
    """
    found: list[bool] = []
    for before, after in itertools.pairwise(widths):
        found.append(before != after or bool(found and not found[-1]))
    return found


def _widths(shapes: Shapes) -> list[int]:
    numbers = sorted(int(match[1]) for key in shapes if (match := _BLOCK.fullmatch(key)))
    widths: list[int] = []
    for number in numbers:
        one, other = (shapes.get(f"generator.layers.{number}.conv_{part}.weight_orig", ()) for part in (0, 3))
        if len(one) != 4 or len(other) != 4:
            return []
        widths += [other[0]] if widths else [one[1], other[0]]
    return widths


def _attention_place(shapes: Shapes) -> int | None:
    return next((int(match[1]) for key in shapes if (match := _GAIN.fullmatch(key))), None)


def _layer(theirs: str, ours: str, *, bias: bool = True) -> dict[str, str]:
    return {f"{theirs}.{part}": f"{ours}.{part}" for part in (*(("bias",) if bias else ()), *_PARTS)}


def _statistics(theirs: str, ours: str) -> dict[str, str]:
    names = {"running_means": "means", "running_vars": "variances"}
    return {f"{theirs}.{their_part}": f"{ours}.statistics.{our_part}" for their_part, our_part in names.items()}
