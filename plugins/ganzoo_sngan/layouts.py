"""Mimicry's checkpoints (Lee and Town 2020, arXiv:2005.02494): its SNGAN, SAGAN, cGAN-PD and (residual) DCGAN.

No torch is needed to recognise them.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganzoo.checkpoint import LayoutReader
from ganzoo.errors import ConfigError
from ganzoo_sngan import plans

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
# What a layer's weight consists of, by its spectral normalisation: their name and ours.
_WEIGHTS = {
    "none": {"weight": "weight"},
    "stored": {"weight_orig": "weight_orig", "weight_u": "weight_u", "weight_v": "weight_v"},
    "recomputed": {"weight": "weight_orig", "sn_u": "weight_u", "sn_sigma": "weight_sigma"},
}
_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_ATTENTION = {"theta": "query", "phi": "key", "g": "value", "o": "output"}
_SIZES = (32, 48, 64, 128, 256, 512, 16)  # discriminators of other sizes are told by their widths


class MimicryReader(LayoutReader):
    """The parts of all mimicry's networks. A scalar and a row of theirs are vectors of ours."""

    attends = False

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Keys are renamed, the attention's gain and the vectors of the recomputed normalisation made one-dimensional."""
        flat = (".gamma", ".sn_u")
        return {ours: state[key].reshape(-1) if key.endswith(flat) else state[key] for key, ours in self.keys(config).items()}

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """The inverse."""
        exported = {theirs: state[ours] for theirs, ours in self.keys(config).items()}
        for key, tensor in exported.items():
            if key.endswith((".gamma", ".sn_u")):
                exported[key] = tensor.reshape(() if key.endswith(".gamma") else (1, -1))
        return exported

    def _place(self, shapes: Shapes, widths: Sequence[int], default: int) -> dict[str, Any] | None:
        """The argument ``attention``, told from the channels: the usual place if they fit there, else the first that does."""
        channels = shapes.get("attn_block.theta.weight_orig", (0, 0))[1:2]
        if bool(channels and channels[0]) != self.attends:
            return None
        if not self.attends:
            return {}
        fitting = [place for place, width in enumerate(widths, start=1) if (width,) == channels]
        return {"attention": default if default in fitting else fitting[0]} if fitting else None


class SNGANGeneratorReader(MimicryReader):
    """``SNGANGenerator…`` and those that have the same layers: of cGAN-PD (with classes), DCGAN, SSGAN and InfoMax-GAN."""

    spectral_norm = "none"

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything; the image size follows from the first layer and the number of blocks."""
        first = shapes.get(_weight("l1", self.spectral_norm), ())
        widths = _widths(shapes, 2, self.spectral_norm)
        last = shapes.get(_weight(f"c{len(widths) + 1}", self.spectral_norm), ())
        if len(widths) < 2 or len(first) != 2 or len(last) != 4 or 0 in (*first, *last):
            return None
        bottom = math.isqrt(first[0] // widths[0])
        size = bottom << (len(widths) - 1)
        classes = _classes(shapes, "block2.b1.embed.weight")
        place = self._place(shapes, widths[1:], plans.generator_attention(plans.Pyramid(tuple(widths), bottom)))
        if place is None or not bottom:
            return None
        known = {"image_size": size, "channels": last[0], "latent_size": first[1], "num_classes": classes, **place}
        return known | _width(widths, widths[0], _usual_pyramid(size, widths[0]))

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Their blocks are counted from two, after the linear layer; the last layers have the number after them."""
        plan = plans.pyramid(config["image_size"], config.get("width"), config.get("widths"))
        blocks, kind = len(plan.widths) - 1, self.spectral_norm
        keys = _layer("l1", "first", kind) | _norm(f"b{blocks + 2}", "norm") | _layer(f"c{blocks + 2}", "last", kind)
        for index in range(blocks):
            keys |= _convolutions(f"block{index + 2}", f"blocks.{index}", kind, shortcut=True)
            for number in (1, 2):
                names = f"block{index + 2}.b{number}", f"blocks.{index}.norm{number}"
                keys |= _class_norm(*names) if config.get("num_classes") else _norm(*names)
        if self.attends:
            place = config.get("attention") or plans.generator_attention(plan)
            keys |= _attention(f"attention.{place}")
        return keys


class SAGANGeneratorReader(SNGANGeneratorReader):
    """``SAGANGenerator…``."""

    attends = True
    spectral_norm = "stored"


class SNGANDiscriminatorReader(MimicryReader):
    """``SNGANDiscriminator…``, ``CGANPDDiscriminator…`` and ``DCGANDiscriminator…``."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything that makes a difference; image sizes with the same layers are the same network."""
        kind = _kind(shapes, "block1.c1")
        widths = _widths(shapes, 1, kind)[1:]
        first = shapes.get(_weight("block1.c1", kind), ())
        plan = _funnel(shapes, widths)
        if plan is None or len(first) != 4 or 0 in first:
            return None
        head = _kind(shapes, f"l{_score_number(plan)}")
        place = self._place(shapes, widths, plans.discriminator_attention(plan))
        norms = self._norms(kind, head)
        if place is None or norms is None:
            return None
        classes = _classes(shapes, _weight("l_y", head))
        return {"channels": first[1], "num_classes": classes, **norms, **place, **_funnel_arguments(plan)}

    def _norms(self, body: str, head: str) -> dict[str, Any] | None:
        return {"spectral_norm": body, **({} if body == head else {"head_spectral_norm": head})}

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Their blocks are counted from one; the last layer has the number after them."""
        plan = plans.funnel(config["image_size"], config.get("width"), config.get("widths"), config.get("halvings"))
        body = config.get("spectral_norm", "stored")
        head = config.get("head_spectral_norm") or body
        keys = _layer(f"l{_score_number(plan)}", "head.score", head)
        if config.get("num_classes"):
            keys |= _layer("l_y", "head.proxies", head, bias=False)
        for index, projects in enumerate(_projections(plan)):
            keys |= _convolutions(f"block{index + 1}", f"blocks.{index}", body, shortcut=projects)
        if self.attends:
            keys |= _attention(f"attention.{config.get('attention') or plans.discriminator_attention(plan)}")
        return keys


class SAGANDiscriminatorReader(SNGANDiscriminatorReader):
    """``SAGANDiscriminator…``, spectrally normalised throughout."""

    attends = True

    def _norms(self, body: str, head: str) -> dict[str, Any] | None:
        return {} if body == head == "stored" else None


# --- what a file tells ------------------------------------------------------------------------------------------------


def _kind(shapes: Shapes, layer: str) -> str:
    """The layer's spectral normalisation."""
    if f"{layer}.weight_orig" in shapes:
        return "stored"
    return "recomputed" if f"{layer}.sn_u" in shapes else "none"


def _weight(layer: str, kind: str) -> str:
    return f"{layer}.{next(iter(_WEIGHTS[kind]))}"


def _classes(shapes: Shapes, embedding: str) -> int:
    """How many classes there is an embedding for; 0 where there is none."""
    return (*shapes.get(embedding, ()), 0)[0]


def _widths(shapes: Shapes, start: int, kind: str) -> list[int]:
    """Channels before the first block and after each one, as far as the blocks go on from the number ``start``."""
    widths: list[int] = []
    number = start
    while True:
        first, second = (shapes.get(_weight(f"block{number}.{name}", kind), ()) for name in ("c1", "c2"))
        if len(first) != 4 or len(second) != 4 or not min(first[1], second[0]):
            return widths
        widths += [second[0]] if widths else [first[1], second[0]]
        number += 1


def _width(widths: Sequence[int], width: int, usual: Sequence[int] | None) -> dict[str, Any]:
    return {"width": width} if usual is not None and tuple(widths) == tuple(usual) else {"widths": list(widths)}


def _usual_pyramid(image_size: int, width: int) -> Sequence[int] | None:
    try:
        return plans.pyramid(image_size, width, None).widths
    except ConfigError:
        return None


def _funnel(shapes: Shapes, widths: Sequence[int]) -> plans.Funnel | None:
    """The discriminator's plan. Where channels change, a shortcut does not tell whether a block halves; the last layer may."""
    projections = [any(key.startswith(f"block{i}.c_sc.") for key in shapes) for i in range(1, len(widths) + 1)]
    possible = (plans.Funnel(tuple(widths), halvings) for halvings in range(len(widths), 0, -1))
    fitting = [plan for plan in possible if _projections(plan) == projections and _has_score(shapes, plan)]
    usual = [plan for plan in fitting if _usual_size(plan)]
    return next(iter(usual + fitting), None)


def _has_score(shapes: Shapes, plan: plans.Funnel) -> bool:
    layer = f"l{_score_number(plan)}"
    return _weight(layer, _kind(shapes, layer)) in shapes


def _usual_size(plan: plans.Funnel) -> int | None:
    """The image size whose usual discriminator this is, if there is one."""
    for size in _SIZES:
        try:
            usual = plans.funnel(size, plan.widths[-1], None, None)
        except ConfigError:  # so few channels that they cannot be halved so often
            continue
        if usual == plan:
            return size
    return None


def _funnel_arguments(plan: plans.Funnel) -> dict[str, Any]:
    size = _usual_size(plan)
    if size is not None:
        return {"image_size": size, "width": plan.widths[-1]}
    return {"image_size": 4 << plan.halvings, "widths": list(plan.widths), "halvings": plan.halvings}


def _projections(plan: plans.Funnel) -> list[bool]:
    """Which blocks have a layer in their shortcut."""
    changes = [before != after for before, after in itertools.pairwise(plan.widths)]
    return [True, *(i <= plan.halvings or change for i, change in enumerate(changes, start=2))]


def _score_number(plan: plans.Funnel) -> int:
    """The number in the name of the last layer: the one after the blocks, but for a slip at 48 pixels."""
    blocks = len(plan.widths)
    return blocks if (blocks, plan.halvings) == (5, 4) else blocks + 1


# --- their names and ours ---------------------------------------------------------------------------------------------


def _layer(theirs: str, ours: str, kind: str, *, bias: bool = True) -> dict[str, str]:
    parts = {**({"bias": "bias"} if bias else {}), **_WEIGHTS[kind]}
    return {f"{theirs}.{their_part}": f"{ours}.{our_part}" for their_part, our_part in parts.items()}


def _convolutions(theirs: str, ours: str, kind: str, *, shortcut: bool) -> dict[str, str]:
    keys = _layer(f"{theirs}.c1", f"{ours}.conv1", kind) | _layer(f"{theirs}.c2", f"{ours}.conv2", kind)
    return keys | (_layer(f"{theirs}.c_sc", f"{ours}.shortcut", kind) if shortcut else {})


def _norm(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.{part}": f"{ours}.{part}" for part in _NORM}


def _class_norm(theirs: str, ours: str) -> dict[str, str]:
    keys = {f"{theirs}.bn.{part}": f"{ours}.bn.{part}" for part in _NORM[2:]}
    return {**keys, f"{theirs}.embed.weight": f"{ours}.embedding.weight"}


def _attention(ours: str) -> dict[str, str]:
    keys = {"attn_block.gamma": f"{ours}.gain"}
    for theirs, layer in _ATTENTION.items():
        keys |= _layer(f"attn_block.{theirs}", f"{ours}.{layer}", "stored", bias=False)
    return keys
