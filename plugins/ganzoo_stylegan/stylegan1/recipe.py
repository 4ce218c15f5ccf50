"""How a StyleGAN is trained: the settings of Karras et al. 2019, appendix C, but for progressive growing.

The paper starts at 8x8 pixels and adds resolutions while it trains, with learning rates and batches for each. This trainer
has the full resolution from the first image on, with the learning rate and batch that the paper gives it. StyleGAN2 (Karras et
al. 2020b, sec. 4) found that growing is not needed, with networks made for that; how well StyleGAN's do without was not
measured here. Noise is fresh in every pass and nine of ten images are made from two latents, as in the paper.
"""

from ganzoo.spec import Optimizer, Recipe, Regularizer, TextRecipe


def recipe(lr: float, batch_size: int) -> Recipe:
    """The recipe of one resolution.

    Args:
        lr: Learning rate of both networks.
        batch_size: Images a step.
    """
    adam = Optimizer(lr=lr, betas=(0.0, 0.99), eps=1e-8)
    return Recipe(
        loss="non-saturating",
        batch_size=batch_size,
        images=25_000_000,
        generator=adam,
        discriminator=adam,
        regularizers={"r1": Regularizer(weight=10.0)},
        ema_images=10_000.0,
        ema_ramp=0.0,
    )


STYLEGAN1_RECIPE = recipe(3e-3, 32)  # 512 and 1024 pixels
# Learning rates by resolution, below 128 pixels that of progressive growing; batches of the authors with eight devices.
STYLEGAN1_RECIPES: dict[str, Recipe | TextRecipe] = {
    "32-pixels": recipe(1e-3, 64),
    "64-pixels": recipe(1e-3, 32),
    "128-pixels": recipe(1.5e-3, 32),
    "256-pixels": recipe(2e-3, 32),
}
