"""How the networks are trained: the constants of the papers, and a moving average of the generator that they did not have.

Both show as many images as mimicry (Lee and Town 2020, arXiv:2005.02494, table 1) does in its 100,000 generator updates.
"""

from ganzoo.spec import Optimizer, Recipe

# Miyato et al. 2018, sec. 4.1: five discriminator steps; the hinge loss of their eq. 16 and 17.
SNGAN_RECIPE = Recipe(
    loss="hinge",
    batch_size=64,
    images=32_000_000,
    generator=Optimizer(lr=2e-4, betas=(0.0, 0.9)),
    discriminator=Optimizer(lr=2e-4, betas=(0.0, 0.9)),
    discriminator_steps=5,
    ema_images=10_000.0,
)

# Zhang et al. 2019, sec. 4: the two learning rates of Heusel et al. 2017, so that one discriminator step is enough.
SAGAN_RECIPE = Recipe(
    loss="hinge",
    batch_size=64,
    images=6_400_000,
    generator=Optimizer(lr=1e-4, betas=(0.0, 0.9)),
    discriminator=Optimizer(lr=4e-4, betas=(0.0, 0.9)),
    discriminator_steps=1,
    ema_images=10_000.0,
)
