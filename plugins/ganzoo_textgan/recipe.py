"""Training defaults: a schedule that a CPU finishes in minutes, and the published one."""

from ganzoo.spec import Optimizer, Phase, TextRecipe, Tokenization

TEXTGAN_RECIPE = TextRecipe(
    phases={
        "autoencoder": Phase(steps=2000, options={"prior_weight": 1.0}),
        "permutation": Phase(steps=300),
        "feature-matching": Phase(
            steps=900,
            options={
                "lambda_r": 0.01,
                "lambda_m": 0.1,
                "sigmas": [8.0, 16.0, 32.0],
                "generator": {"lr": {"start": 3e-4, "end": 1e-4}, "betas": [0.5, 0.999]},
                "discriminator": {"lr": 1e-4, "betas": [0.5, 0.999]},
            },
        ),
    },
    batch_size=64,
    generator=Optimizer(lr=2e-3, betas=(0.5, 0.999)),
    discriminator=Optimizer(lr=1e-3, betas=(0.5, 0.999)),
    tokenizer=Tokenization(size=5000, length=16),
    validation=0.0,  # none of the phases looks at held-out sentences
)

# Zhang et al. 2017, sec. 4, and the defaults of the authors' code where the paper is silent. How long the two pretrainings last
# is in neither: an epoch of a million sentences each.
_EPOCH = 3906

PAPER_RECIPE = TextRecipe(
    phases={
        "autoencoder": Phase(steps=_EPOCH),
        "permutation": Phase(steps=_EPOCH),
        "feature-matching": Phase(steps=16 * _EPOCH, options={"lambda_r": 0.001, "lambda_m": 0.001, "sigmas": [20.0]}),
    },
    batch_size=256,
    generator=Optimizer(lr=5e-5, betas=(0.9, 0.999)),
    discriminator=Optimizer(lr=1e-4, betas=(0.9, 0.999)),
    clip=5.0,
    tokenizer=Tokenization(size=22153, length=60),
    validation=0.0,
)
