"""How a StyleGAN2 is trained.

All recipes have the same losses: non-saturating, R1 at every 16th update of the discriminator, path lengths at every 4th of the
generator (Karras et al. 2020b, sec. 3.1 and 3.2), and a moving average of the generator. Gamma, the weight of R1, follows the
rule of thumb of Karras et al. 2020a, appendix C: 0.0002 times the pixels of an image over the batch size.
"""

from ganzoo.spec import AnyRecipe, Augmentation, Optimizer, Recipe, Regularizer

_PATH = Regularizer(weight=2.0, every=4, options={"shrink": 2})


def _recipe(*, lr: float, gamma: float, batch_size: int, images: int, ema_images: float, **others: object) -> Recipe:
    optimizer = Optimizer(lr=lr, betas=(0.0, 0.99))
    return Recipe(
        loss="non-saturating",
        batch_size=batch_size,
        images=images,
        generator=optimizer,
        discriminator=optimizer,
        regularizers={"r1": Regularizer(weight=gamma, every=16), "path-length": _PATH},
        ema_images=ema_images,
        **others,  # type: ignore[arg-type]  # fields of Recipe, which checks them itself
    )


# For images of 64 pixels and a small machine; everything else is as published.
STYLEGAN2_RECIPE = _recipe(lr=2.5e-3, gamma=0.05, batch_size=16, images=500_000, ema_images=5_000.0)

# Karras et al. 2020b, appendix B, configuration F for faces at 1024 pixels.
_CONFIG_F = _recipe(lr=2e-3, gamma=10.0, batch_size=32, images=25_000_000, ema_images=10_000.0, ema_ramp=0.0)

# Karras et al. 2020a, appendix C, for 256 pixels: a batch of 64, gamma 1, and augmentation as far as overfitting shows.
_ADA = _recipe(
    lr=2.5e-3,
    gamma=1.0,
    batch_size=64,
    images=25_000_000,
    ema_images=20_000.0,
    augment=Augmentation(pipeline={"ada-blit": 1.0, "ada-geometry": 1.0, "ada-color": 1.0}, target=0.6),
)

RECIPES: dict[str, AnyRecipe] = {"config-f": _CONFIG_F, "ada-256": _ADA}
