"""Small networks of TextGAN and a handful of sentences, on common ground."""

from typing import Any

from ganzoo.building import build_random
from ganzoo.spec import Optimizer, TextRecipe
from ganzoo.text.training import Ground, Material
from ganzoo.tokenizers import WordTokenizer
from ganzoo.training.processes import Processes
from ganzoo_textgan.networks import TextGANDiscriminator, TextGANGenerator

LENGTH = 8
LINES = tuple(
    f"{article} {noun} {verb} {what}"
    for article in ("the", "a", "every")
    for noun in ("dog", "cat", "bird", "child")
    for verb in ("sees", "likes", "follows")
    for what in ("it", "the house", "a small house", "nothing")
)
TOKENIZER = WordTokenizer.of(LINES)
SGD = Optimizer(name="sgd", lr=0.01, betas=(0.0, 0.0))


def sizes(**more: Any) -> dict[str, Any]:
    return {"vocab_size": TOKENIZER.size, "max_length": LENGTH, "latent_size": 6, "pad_token": TOKENIZER.pad, **more}


def generator(**more: Any) -> TextGANGenerator:
    tokens = {"start_token": TOKENIZER.start, "end_token": TOKENIZER.end}
    config = sizes(embedding_size=12, hidden_size=32, **tokens) | more
    return build_random(TextGANGenerator, config, seed=1)


def discriminator(**more: Any) -> TextGANDiscriminator:
    return build_random(TextGANDiscriminator, sizes(embedding_size=12, filter_count=16) | more, seed=2)


def ground(*, batch_size: int = 32, optimizer: Optimizer = SGD, **networks: Any) -> Ground:
    tokens = TOKENIZER.batch(LINES, LENGTH)
    recipe = TextRecipe(phases={}, batch_size=batch_size, generator=optimizer, discriminator=optimizer, clip=None)
    pair = {"generator": generator(), "discriminator": discriminator()} | networks
    return Ground(
        pair["generator"], pair["discriminator"], Material(tokens, tokens[:0]), recipe, seed=3, processes=Processes("cpu")
    )
