"""How the networks are trained."""

import math

from ganzoo.spec import Optimizer, Recipe, Regularizer

_STEPS = 150_000  # generator updates of the published ImageNet models
_BATCH = 2048
_HALF_LIFE = round(math.log(0.5) / math.log(0.9999))  # of an average that keeps 0.9999 of itself at every update, in updates

# For a machine with one accelerator, or none: BigGAN-PyTorch's optimisers and its one discriminator step, a batch that fits.
BIGGAN_RECIPE = Recipe(
    loss="hinge",
    batch_size=64,
    images=6_400_000,
    generator=Optimizer(lr=1e-4, betas=(0.0, 0.999), eps=1e-6),
    discriminator=Optimizer(lr=4e-4, betas=(0.0, 0.999), eps=1e-6),
    discriminator_steps=1,
    ema_images=10_000.0,
)

# Brock et al. 2019, sec. 3 and appendix C: two discriminator steps, the orthogonal penalty of their eq. 3 on the generator.
PAPER_RECIPE = Recipe(
    loss="hinge",
    batch_size=_BATCH,
    images=_STEPS * 2 * _BATCH,
    generator=Optimizer(lr=5e-5, betas=(0.0, 0.999)),
    discriminator=Optimizer(lr=2e-4, betas=(0.0, 0.999)),
    discriminator_steps=2,
    regularizers={"orthogonal-generator": Regularizer(weight=1e-4)},
    ema_images=float(_HALF_LIFE * 2 * _BATCH),
)

# As BigGAN-PyTorch published its ImageNet weights: eight pieces of 256 images, one discriminator step.
PYTORCH_RECIPE = Recipe(
    loss="hinge",
    batch_size=_BATCH,
    accumulate=8,
    images=_STEPS * _BATCH,
    generator=Optimizer(lr=1e-4, betas=(0.0, 0.999), eps=1e-6),
    discriminator=Optimizer(lr=4e-4, betas=(0.0, 0.999), eps=1e-6),
    discriminator_steps=1,
    ema_images=float(_HALF_LIFE * _BATCH),
)
RECIPES: dict[str, Recipe] = {"paper": PAPER_RECIPE, "biggan-pytorch": PYTORCH_RECIPE}
