"""How an R3GAN is trained: the settings of Huang et al. 2024 for FFHQ at 64 pixels.

Everything that the paper lets go from one value to another goes there along half a cosine wave. It does so over the run's own
images (the paper's 20 million unless told otherwise), so that a shorter run sees the whole of it too.
"""

from ganzoo.spec import Augmentation, Optimizer, Recipe, Regularizer, Schedule

_ADAM = Optimizer(lr=Schedule(start=2e-4, end=5e-5), betas=(0.0, Schedule(start=0.9, end=0.99)))
_GAMMA = Schedule(start=2.0, end=0.2)

R3GAN_RECIPE = Recipe(
    loss="relativistic-pairing",
    batch_size=256,
    images=20_000_000,
    generator=_ADAM,
    discriminator=_ADAM,
    regularizers={"r1": Regularizer(weight=_GAMMA), "r2": Regularizer(weight=_GAMMA)},
    augment=Augmentation(
        pipeline={"ada-blit": 1.0, "ada-geometry": 1.0, "ada-color": 0.5, "ada-cutout": 1.0},
        p=Schedule(start=0.0, end=0.3),
    ),
    ema_images=Schedule(start=0.0, end=500_000.0),
)
