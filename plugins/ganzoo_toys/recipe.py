"""How the toy problems are trained: a relativistic loss with both zero-centred penalties, as in R3GAN (Huang et al. 2024).

From R3GAN come the loss, the penalties, the falling learning rate and Adam without momentum; the numbers were searched on 25
Gaussians (`benchmarks/gaussians.py`). The penalty falls because a narrow mode needs a steep discriminator at the end.
"""

from ganzoo.spec import Optimizer, Recipe, Regularizer, Schedule

_LR = Schedule(start=3e-3, end=3e-5, shape="cosine")
_ADAM = Optimizer(lr=_LR, betas=(0.0, 0.99))
_PENALTY = Regularizer(weight=Schedule(start=0.1, end=0.02, shape="linear"))

MLP_RECIPE = Recipe(
    loss="relativistic-pairing",
    batch_size=256,
    images=2_048_000,  # 8,000 steps
    generator=_ADAM,
    discriminator=_ADAM,
    regularizers={"r1": _PENALTY, "r2": _PENALTY},
    ema_images=128_000.0,
)
