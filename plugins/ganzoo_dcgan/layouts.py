"""Foreign checkpoints of DCGANs: the keys and shapes they have. No torch is needed to recognise them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ganzoo.checkpoint import LayoutReader, studiogan

Shapes = Mapping[str, tuple[int, ...]]


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
        names += [f"main.{3 * i + 1}.{part}" for i in range(stages) for part in studiogan.NORM]
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
        names += [f"main.{i + 1}.{part}" for i in convolutions[1:-1] for part in studiogan.NORM]
        return {name: name for name in names}


class StudioGenerator(LayoutReader):
    """StudioGAN's ``deep_conv`` generator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the activation, which leaves no trace in the keys."""
        spectral = "linear0.weight_orig" in shapes
        first = shapes.get(studiogan.weight("linear0", spectral))
        last = shapes.get(studiogan.weight("conv4", spectral))
        if first is None or last is None or len(first) != 2 or len(last) != 4:
            return None
        return {
            "latent_size": first[1],
            "channels": last[0],
            "width": last[1],
            "spectral_norm": spectral,
            "attention": studiogan.attention_places(shapes),
            **studiogan.generator_condition(shapes, "blocks.0.0.bn0", spectral),
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Names differ inside attention only."""
        spectral = bool(config["spectral_norm"])
        keys = {name: name for each in ("linear0", "conv4") for name in studiogan.layer_keys(each, each, spectral)}
        for block, attention in studiogan.block_names(3, config.get("attention") or ()):
            keys |= studiogan.layer_keys(f"{block}.deconv0", f"{block}.deconv0", spectral)
            keys |= studiogan.generator_norm_keys(f"{block}.bn0", f"{block}.bn0", config, spectral)
            keys |= studiogan.attention_keys(attention, attention, spectral) if attention else {}
        return keys


class StudioDiscriminator(LayoutReader):
    """StudioGAN's ``deep_conv`` discriminator."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the activation, ``normalize_embedding`` and the choice between methods with the same keys."""
        spectral = "linear1.weight_orig" in shapes
        first = shapes.get(studiogan.weight("blocks.0.0.conv0", spectral))
        head = studiogan.head_config(shapes, spectral)
        if first is None or head is None or len(first) != 4:
            return None
        return {
            "channels": first[1],
            "width": first[0],
            "spectral_norm": spectral,
            "attention": studiogan.attention_places(shapes),
            **head,
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Names differ inside attention and the head only."""
        spectral = bool(config["spectral_norm"])
        keys = studiogan.layer_keys("conv1", "conv1", spectral) | studiogan.head_keys(config, "head", spectral)
        norms = ["bn1"]
        for block, attention in studiogan.block_names(3, config.get("attention") or ()):
            for name in ("conv0", "conv1"):
                keys |= studiogan.layer_keys(f"{block}.{name}", f"{block}.{name}", spectral)
            keys |= studiogan.attention_keys(attention, attention, spectral) if attention else {}
            norms += [f"{block}.bn0", f"{block}.bn1"]
        for norm in [] if spectral else norms:
            keys |= studiogan.norm_keys(norm, norm)
        return keys


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
