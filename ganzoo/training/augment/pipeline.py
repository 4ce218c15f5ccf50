"""Augmentations by name, as one function of images."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training.augment.parts import AUGMENTATIONS
from ganzoo.training.draws import Draws
from ganzoo.training.parts import find as find_part

Augmentation = Callable[[Tensor, Draws, float], Tensor]
Pipeline = Callable[[Tensor, Draws, float], Tensor]
Find = Callable[[str], Any]


def find_augmentation(name: str) -> Any:
    """What the augmentation ``name`` is, built in or a plugin's: an `Augmentation`, or a mapping of names to strengths.

    Raises:
        GanzooError: see `ganzoo.training.parts.find`.
    """
    return find_part("augmentation", name)


def build_pipeline(strengths: Mapping[str, float], find: Find = find_augmentation) -> Pipeline:
    """All augmentations of ``strengths`` as one: ``(images, draws, p) -> images``.

    Each is applied to each image with probability ``p`` times its strength, independently of the others. They follow each other
    in the order of `AUGMENTATIONS`, those of third parties come last, in the order given. A name that stands for several (a
    bundle) is replaced by them; one of them that is also named keeps the strength given there.

    Args:
        strengths: From names to strengths in ``[0, 1]``. None of them is the identity.
        find: From a name to the augmentation, a callable ``(images, draws, p) -> images``, or to a bundle, a mapping of names
            to strengths.

    Returns:
        A function of images ``[N, C, H, W]`` in [-1, 1], the random numbers, and ``p`` in [0, 1]. It is computed in single
        precision or better, also under autocast, and can be differentiated twice by the images.

    Raises:
        UnknownNameError: there is no such augmentation; carries the closest names.
        ConfigError: a strength outside ``[0, 1]``; from the function: images of another shape.
    """
    expanded = _expanded(strengths, find)
    rank = {part.id: position for position, part in enumerate(AUGMENTATIONS)}
    names = sorted(expanded, key=lambda name: rank.get(name, len(rank)))
    steps: list[tuple[Augmentation, float]] = [(find(name), expanded[name]) for name in names]

    def apply(images: Tensor, draws: Draws, p: float) -> Tensor:
        if not steps or p <= 0:
            return images
        if images.ndim != 4:
            shape = ", ".join(str(size) for size in images.shape[1:])
            raise ConfigError(f"Augmentations are for images (C, H, W), not for ({shape}).", hint="Set an empty augmentation.")
        with torch.autocast(images.device.type, enabled=False):
            x = images.float() if images.dtype in {torch.float16, torch.bfloat16} else images
            for step, strength in steps:
                x = step(x, draws, p * strength)
            return x.to(images.dtype)

    return apply


def _expanded(strengths: Mapping[str, float], find: Find) -> dict[str, float]:
    """``strengths`` with bundles replaced by what they stand for."""
    single: dict[str, float] = {}
    bundled: dict[str, float] = {}
    for name, strength in strengths.items():
        if not 0 <= strength <= 1:
            raise ConfigError(f"The strength of the augmentation '{name}' must be between 0 and 1, not {strength}.")
        found = find(name)
        if isinstance(found, Mapping):
            bundled |= {inner: strength * share for inner, share in found.items()}
        else:
            single[name] = strength
    return bundled | single
