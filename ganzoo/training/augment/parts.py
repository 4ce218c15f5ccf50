"""The augmentations that come with the core, as declarations: importing this imports no torch.

Their order is the order in which they are applied, whatever the order of the names in a recipe.
"""

from ganzoo.spec import Part

AUGMENTATIONS: tuple[Part, ...] = (
    Part(
        id="flip",
        summary="mirrored left to right with probability 1/2",
        target="ganzoo.training.augment.mirror:flip",
    ),
    Part(
        id="color",
        summary="brightness, saturation and contrast of DiffAugment (Zhao et al. 2020)",
        target="ganzoo.training.augment.diffaugment:color",
    ),
    Part(
        id="translation",
        summary="moved by up to 1/8 of the side, DiffAugment (Zhao et al. 2020)",
        target="ganzoo.training.augment.diffaugment:translation",
    ),
    Part(
        id="cutout",
        summary="a square of half the side set to grey, DiffAugment (Zhao et al. 2020)",
        target="ganzoo.training.augment.diffaugment:cutout",
    ),
    Part(
        id="ada-blit",
        summary="mirroring, quarter turns, translation by whole pixels (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.blit:blit",
    ),
    Part(
        id="ada-geometry",
        summary="scaling, rotation, anisotropic scaling, translation (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.geometry:geometry",
    ),
    Part(
        id="ada-color",
        summary="brightness, contrast, luma flip, hue, saturation (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.color:color",
    ),
    Part(
        id="ada-filter",
        summary="frequency bands amplified (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.filtering:bands",
    ),
    Part(
        id="ada-noise",
        summary="additive noise (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.corruptions:noise",
    ),
    Part(
        id="ada-cutout",
        summary="a rectangle of half the sides set to grey (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.corruptions:cutout",
    ),
    Part(
        id="ada-bg",
        summary="blit and geometry of ADA together (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.bundles:BG",
    ),
    Part(
        id="ada-bgc",
        summary="blit, geometry and color of ADA together (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.bundles:BGC",
    ),
    Part(
        id="ada-bgcf",
        summary="blit, geometry, color and filter of ADA together (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.bundles:BGCF",
    ),
    Part(
        id="ada-bgcfn",
        summary="blit, geometry, color, filter and noise of ADA together (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.bundles:BGCFN",
    ),
    Part(
        id="ada-bgcfnc",
        summary="blit, geometry, color, filter, noise and cutout of ADA together (Karras et al. 2020a)",
        target="ganzoo.training.augment.ada.bundles:BGCFNC",
    ),
)
