"""A small language, small networks and recipes for the tests of text training."""

from typing import Any

from ganzoo.data import TextDataset
from ganzoo.spec import Architecture, ConfigField, Optimizer, Phase, TextRecipe, Tokenization
from ganzoo.text.discriminators import CNNDiscriminator
from ganzoo.text.generators import LSTMGenerator

SUBJECTS = ("the cat", "a dog", "the bird", "one fish")
VERBS = ("sees", "eats", "likes")
OBJECTS = ("a mouse", "the bread", "nothing", "an old shoe")
LINES = tuple(f"{s} {v} {o}" for s in SUBJECTS for v in VERBS for o in OBJECTS)

GENERATOR: dict[str, Any] = {"embedding_size": 8, "hidden_size": 12}
JUDGE: dict[str, Any] = {"embedding_size": 6, "filter_sizes": [1, 2, 3], "filter_counts": [4, 4, 4]}
NETWORKS: Any = {"generator": LSTMGenerator, "discriminator": CNNDiscriminator}
CONFIG: Any = {"generator": GENERATOR, "discriminator": JUDGE}

RECIPE = TextRecipe(
    phases={
        "mle": Phase(steps=6, options={"every": 2}),
        "discriminator": Phase(steps=4, options={"pool": 24, "epochs": 2}),
        "adversarial": Phase(
            kind="policy-gradient",
            steps=3,
            options={"reward_options": {"rollouts": 2}, "discriminator_steps": 2, "baseline": "ema", "look_every": 1},
        ),
    },
    batch_size=8,
    generator=Optimizer(lr=1e-2, betas=(0.9, 0.999)),
    discriminator=Optimizer(lr=1e-2, betas=(0.9, 0.999)),
    tokenizer=Tokenization(length=8),
    validation=0.25,
)
TOY = Architecture(
    id="toy-text",
    summary="for tests",
    modality="text",
    task="unconditional-generation",
    networks={
        "generator": "ganzoo.text.generators:LSTMGenerator",
        "discriminator": "ganzoo.text.discriminators:CNNDiscriminator",
    },
    config=tuple(ConfigField(name=name, default=None, doc="see the class") for name in (*GENERATOR, *JUDGE)),
    recipe=RECIPE,
)


def toy_text(**more: Any) -> TextDataset:
    return TextDataset(LINES, "toy-text", **more)
