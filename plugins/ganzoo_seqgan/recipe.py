"""The published recipe of SeqGAN, one that a small machine finishes, and the maximum-likelihood baseline."""

from ganzoo.spec import Optimizer, Phase, TextRecipe, Tokenization

# Section and numbers of the published code where the paper is silent: github.com/LantaoYu/SeqGAN.
_GENERATOR = Optimizer(lr=1e-2, betas=(0.9, 0.999))
_DISCRIMINATOR = Optimizer(lr=1e-4, betas=(0.9, 0.999))

# With a baseline and a small rate the adversarial phase does not undo what maximum likelihood has learnt.
_GENTLE = {"lr": 5e-4, "betas": [0.9, 0.999]}

MLE_RECIPE = TextRecipe(
    phases={"mle": Phase(steps=12_000, options={"patience": 3})},
    batch_size=64,
    generator=Optimizer(lr=3e-3, betas=(0.9, 0.999)),
    tokenizer=Tokenization(size=5000, length=20),
)

SEQGAN_RECIPE = TextRecipe(
    phases={
        "mle": Phase(steps=12_000, options={"patience": 3}),
        "discriminator": Phase(steps=600, options={"pool": 4096}),
        "adversarial": Phase(
            kind="policy-gradient",
            steps=50,
            options={
                "generator": _GENTLE,
                "reward": "rollout",
                "reward_options": {"rollouts": 4},
                "baseline": "batch",
                "discriminator_steps": 15,
                "look_every": 5,
            },
        ),
    },
    batch_size=64,
    generator=Optimizer(lr=3e-3, betas=(0.9, 0.999)),
    discriminator=Optimizer(lr=1e-3, betas=(0.9, 0.999)),
    tokenizer=Tokenization(size=5000, length=20),
)

# A pretrained encoder judges whole sentences: completions of every prefix would cost it minutes a step.
TRANSFORMER_RECIPE = TextRecipe(
    phases={
        "mle": Phase(steps=12_000, options={"patience": 3}),
        "discriminator": Phase(steps=200, options={"pool": 2048, "epochs": 2}),
        "adversarial": Phase(
            kind="policy-gradient",
            steps=150,
            options={
                "generator": _GENTLE,
                "reward": "sentence",
                "baseline": "batch",
                "discriminator_steps": 2,
                "look_every": 10,
            },
        ),
    },
    batch_size=64,
    generator=Optimizer(lr=3e-3, betas=(0.9, 0.999)),
    discriminator=Optimizer(lr=1e-3, betas=(0.9, 0.999)),
    tokenizer=Tokenization(size=5000, length=20),
)

# Yu et al. 2017: 120 epochs of 9,984 sentences, then a discriminator on 50 sets of fresh negatives, each shown three times,
# then 200 rounds of one update of the generator and 5 such sets. A batch of the published code holds 64 sentences of both
# kinds, ours 64 of each: the sentences are as many, the updates of the discriminator half as many.
PAPER_RECIPE = TextRecipe(
    phases={
        "mle": Phase(steps=120 * 156, options={"keep": "last"}),
        "discriminator": Phase(steps=50 * 3 * 156, options={"pool": 9984, "epochs": 3, "output_penalty": 0.2}),
        "adversarial": Phase(
            kind="policy-gradient",
            steps=200,
            options={
                "reward": "rollout",
                "reward_options": {"rollouts": 16},
                "reduction": "sum",
                "discriminator_steps": 5 * 3 * 156,
                "pool": 9984,
                "epochs": 3,
                "output_penalty": 0.2,
            },
        ),
    },
    batch_size=64,
    generator=_GENERATOR,
    discriminator=_DISCRIMINATOR,
    clip=5.0,
    tokenizer=Tokenization(size=5000, length=20),
    validation=0.0,
)
