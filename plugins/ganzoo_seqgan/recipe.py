"""The published recipe of SeqGAN, one that a small machine finishes, and the maximum-likelihood baseline."""

import msgspec

from ganzoo.spec import Optimizer, Phase, TextRecipe

# Section and numbers of the published code where the paper is silent: github.com/LantaoYu/SeqGAN.
_GENERATOR = Optimizer(lr=1e-2, betas=(0.9, 0.999))
_DISCRIMINATOR = Optimizer(lr=1e-4, betas=(0.9, 0.999))

# With a baseline and a small rate the adversarial phase does not undo what maximum likelihood has learnt.
_GENTLE = {"lr": 5e-4, "betas": [0.9, 0.999]}

_OURS, _OUR_JUDGE = Optimizer(lr=3e-3, betas=(0.9, 0.999)), Optimizer(lr=1e-3, betas=(0.9, 0.999))
_MLE = Phase(steps=12_000, options={"patience": 3})

MLE_RECIPE = TextRecipe(
    phases={"mle": _MLE},
    generator=_OURS,
)

SEQGAN_RECIPE = TextRecipe(
    phases={
        "mle": _MLE,
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
    generator=_OURS,
    discriminator=_OUR_JUDGE,
)

# A pretrained encoder judges whole sentences: completions of every prefix would be thousands of them a step. One reward for all
# tokens of a sentence is a noisy one, so the steps are small.
TRANSFORMER_RECIPE = TextRecipe(
    phases={
        "mle": _MLE,
        "discriminator": Phase(steps=100, options={"pool": 2048, "epochs": 2}),
        "adversarial": Phase(
            kind="policy-gradient",
            steps=100,
            options={
                "generator": {**_GENTLE, "lr": 1e-4},
                "reward": "sentence",
                "score": "signed",
                "baseline": "batch",
                "discriminator_steps": 2,
                "look_every": 10,
            },
        ),
    },
    generator=_OURS,
    discriminator=_OUR_JUDGE,
)

CAUSAL_RECIPE = msgspec.structs.replace(SEQGAN_RECIPE, generator=Optimizer(name="adamw", lr=1e-3, betas=(0.9, 0.999)))

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
    generator=_GENERATOR,
    discriminator=_DISCRIMINATOR,
    validation=0.0,
)
