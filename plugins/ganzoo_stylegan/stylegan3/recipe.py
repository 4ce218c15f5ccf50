"""How a StyleGAN3 is trained (Karras et al. 2021, appendix F, and the configurations that its authors recommend).

The losses are those of StyleGAN2 without path lengths, and there is no style mixing. The weight of R1 is what to try first; it
grows with the pixels of an image. Configuration R begins with blurred images, so that the discriminator does not look at
details that the generator cannot make yet.
"""

from ganzoo.spec import AnyRecipe, Augmentation, Optimizer, Recipe, Regularizer, Schedule

BLUR = "stylegan3-blur"
BATCH = 32
_FADE = 200_000  # images after which the blur is gone, with a batch of 32
_GAMMA = {128: 0.5, 256: 2.0, 512: 8.0, 1024: 32.0}  # by pixels a side


def _recipe(size: int, augment: Augmentation = Augmentation()) -> Recipe:  # noqa: B008  # frozen
    return Recipe(
        loss="non-saturating",
        batch_size=BATCH,
        images=25_000_000,
        generator=Optimizer(lr=2.5e-3, betas=(0.0, 0.99)),
        discriminator=Optimizer(lr=2e-3, betas=(0.0, 0.99)),
        regularizers={"r1": Regularizer(weight=_GAMMA[size], every=16)},
        augment=augment,
        ema_images=BATCH * 10_000 / 32,
    )


# p is how much of the blur there is, not a probability: see the augmentation.
_BLURRED = Augmentation(pipeline={BLUR: 1.0}, p=Schedule(start=1.0, end=0.0, until=_FADE, shape="linear"))

STYLEGAN3_RECIPE = _recipe(256)
RECIPES: dict[str, AnyRecipe] = {
    **{f"t-{size}": _recipe(size) for size in _GAMMA},
    **{f"r-{size}": _recipe(size, _BLURRED) for size in _GAMMA},
}
