"""StudioGAN's checkpoints of its ``resnet`` backbone, with and without attention. No torch is needed to recognise them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ganzoo.checkpoint import LayoutReader, studiogan
from ganzoo_sngan import plans

Shapes = Mapping[str, tuple[int, ...]]
_CONVOLUTIONS = {"conv2d0": "shortcut", "conv2d1": "conv1", "conv2d2": "conv2"}


class StudioSNGANGeneratorReader(LayoutReader):
    """``model=G-…`` without attention."""

    usual_attention: ClassVar[tuple[int, ...]] = ()  # where the argument is None; empty: the network has no such argument

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the activation, which leaves no trace in the keys."""
        spectral = "linear0.weight_orig" in shapes
        first = shapes.get(studiogan.weight("linear0", spectral), ())
        last = shapes.get(studiogan.weight("conv2d5", spectral), ())
        size = {len(plans.studio_pyramid(size, 1).widths) - 1: size for size in plans.STUDIO_SIZES}.get(_blocks(shapes))
        attention = _attention(shapes, bool(self.usual_attention))
        if size is None or attention is None or len(first) != 2 or len(last) != 4 or 0 in (*first, *last):
            return None
        width = last[1] // plans.studio_pyramid(size, 1).widths[-1]
        return (
            None
            if not width
            else {
                "image_size": size,
                "channels": last[0],
                "latent_size": first[1],
                "width": width,
                "spectral_norm": spectral,
                **attention,
                **studiogan.generator_condition(shapes, "blocks.0.0.bn1", spectral),
            }
        )

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Attention has an entry in their list of blocks."""
        spectral = _spectral(config, plans.STUDIO_GENERATOR_SPECTRAL)
        keys = studiogan.layer_keys("linear0", "first", spectral) | studiogan.layer_keys("conv2d5", "last", spectral)
        keys |= studiogan.norm_keys("bn4", "norm")
        count = len(plans.studio_pyramid(config["image_size"], 1).widths) - 1
        for index, (block, attention) in enumerate(studiogan.block_names(count, _places(config, self.usual_attention))):
            for theirs, ours in _CONVOLUTIONS.items():
                keys |= studiogan.layer_keys(f"{block}.{theirs}", f"blocks.{index}.{ours}", spectral)
            for number in (1, 2):
                keys |= studiogan.generator_norm_keys(f"{block}.bn{number}", f"blocks.{index}.norm{number}", config, spectral)
            keys |= studiogan.attention_keys(attention, f"attention.{index + 1}", spectral) if attention else {}
        return keys


class StudioSAGANGeneratorReader(StudioSNGANGeneratorReader):
    """``model=G-…`` with attention."""

    usual_attention = plans.STUDIO_GENERATOR_ATTENTION


class StudioSNGANDiscriminatorReader(LayoutReader):
    """``model=D-…`` without attention."""

    usual_attention: ClassVar[tuple[int, ...]] = ()

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the activation, ``normalize_embedding`` and the choice between methods with the same keys."""
        spectral = "linear1.weight_orig" in shapes
        first = shapes.get(studiogan.weight("blocks.0.0.conv2d1", spectral), ())
        size = {len(plans.studio_funnel(size, 1).widths): size for size in plans.STUDIO_SIZES}.get(_blocks(shapes))
        attention, head = _attention(shapes, bool(self.usual_attention)), studiogan.head_config(shapes, spectral)
        if size is None or attention is None or head is None or len(first) != 4 or 0 in first:
            return None
        width = first[0] // plans.studio_funnel(size, 1).widths[0]
        known = {"image_size": size, "channels": first[1], "width": width, "spectral_norm": spectral, **attention, **head}
        return known if width else None

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Attention has an entry in their list of blocks; without spectral norm there are batch normalisations."""
        spectral = _spectral(config, plans.STUDIO_DISCRIMINATOR_SPECTRAL)
        keys = studiogan.head_keys(config, "head", spectral)
        plan = plans.studio_funnel(config["image_size"], config["width"])
        for index, (block, attention) in enumerate(
            studiogan.block_names(len(plan.widths), _places(config, self.usual_attention))
        ):
            projects = index < plan.halvings or plan.widths[index - 1] != plan.widths[index]
            for theirs, ours in _CONVOLUTIONS.items():
                if projects or ours != "shortcut":
                    keys |= studiogan.layer_keys(f"{block}.{theirs}", f"blocks.{index}.{ours}", spectral)
            norms = [] if spectral else [*([0] if projects else []), 1, *([2] if index else [])]
            for number in norms:
                keys |= studiogan.norm_keys(f"{block}.bn{number}", f"blocks.{index}.norm{number}")
            keys |= studiogan.attention_keys(attention, f"attention.{index + 1}", spectral) if attention else {}
        return keys


class StudioSAGANDiscriminatorReader(StudioSNGANDiscriminatorReader):
    """``model=D-…`` with attention."""

    usual_attention = plans.STUDIO_DISCRIMINATOR_ATTENTION


def _blocks(shapes: Shapes) -> int:
    """How many residual blocks there are."""
    return len({m[1] for key in shapes if (m := re.match(r"blocks\.(\d{1,2})\.0\.conv2d1\.", key))})


def _attention(shapes: Shapes, wanted: bool) -> dict[str, Any] | None:
    """The argument ``attention`` where there is one; None where it should be there and is not, or the other way round."""
    places = studiogan.attention_places(shapes)
    if bool(places) != wanted:
        return None
    return {"attention": places} if wanted else {}


def _spectral(config: Mapping[str, Any], usual: bool) -> bool:
    given = config.get("spectral_norm")
    return usual if given is None else bool(given)


def _places(config: Mapping[str, Any], usual: tuple[int, ...]) -> Sequence[int]:
    given: Sequence[int] | None = config.get("attention")
    return usual if given is None else given
