"""How a DCGAN is trained: the constants of Radford et al. 2016, sec. 4, and a moving average of the generator."""

from ganzoo.spec import Optimizer, Recipe

DCGAN_RECIPE = Recipe(
    loss="non-saturating",
    batch_size=64,
    images=1_000_000,
    generator=Optimizer(lr=2e-4, betas=(0.5, 0.999)),
    discriminator=Optimizer(lr=2e-4, betas=(0.5, 0.999)),
    ema_images=10_000.0,
)
