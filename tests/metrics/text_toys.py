"""Text generators and data whose figures are known without measuring."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo.data import TextDataset
from ganzoo.metrics import FeatureBatch, Features, NoFeatures, Sets
from ganzoo.models import TextGenerator
from ganzoo.tokenizers import TokenizerBuffer, WordTokenizer, encode_tokenizer

LINES = ["a b", "a c", "b c a", "c", "a b c", "c c", "b", "b a"]


class Bigrams(TokenizerBuffer, TextGenerator):
    """Draws each word from a row of logits that belongs to the word before: all is known of it in closed form."""

    def __init__(self, vocab_size: int = 7, max_length: int = 5, tokenizer_bytes: int = 0) -> None:
        super().__init__()
        self.vocab_size, self.max_length = vocab_size, max_length
        self.init_tokenizer(tokenizer_bytes)
        self.table = torch.nn.Parameter(torch.randn(vocab_size, vocab_size))
        self.drawn = 0

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.max_length,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (self.max_length,)

    def draw_latent(self, rng: torch.Generator) -> Tensor:
        return torch.rand(self.latent_shape, generator=rng)

    def forward(self, latent: Tensor, temperature: float = 1.0, top_k: int | None = None) -> Tensor:
        self.drawn += len(latent)
        before = torch.full((len(latent),), self.tokenizer.start)
        ended, found = torch.zeros(len(latent), dtype=torch.bool), []
        for uniform in latent.unbind(1):
            logits = self.table[before] / temperature
            if top_k is not None:
                logits = logits.where(logits >= logits.topk(top_k, 1).values[:, -1:], -torch.inf)
            before = (logits.softmax(1).cumsum(1) < uniform[:, None]).sum(1).clamp(max=self.vocab_size - 1)
            before = torch.where(ended, self.tokenizer.pad or 0, before)
            ended = ended | (before == self.tokenizer.end)
            found.append(before)
        return torch.stack(found, 1)

    def logits(self, tokens: Tensor) -> Tensor:
        start = torch.full((len(tokens), 1), self.tokenizer.start)
        return self.table[torch.cat([start, tokens[:, :-1]], 1)]

    def log_prob(self, tokens: Tensor) -> Tensor:
        return self.logits(tokens).log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


class Silent(TokenizerBuffer, TextGenerator):
    """Always says the same, and knows no probabilities, temperatures or limits."""

    def __init__(self, vocab_size: int = 7, tokenizer_bytes: int = 0) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.init_tokenizer(tokenizer_bytes)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (3,)

    def forward(self, latent: Tensor) -> Tensor:
        return torch.tensor([[4, 5, 2]]).expand(len(latent), 3)


class Letters(Features):
    """How often the letters a, b and c stand in a text."""

    name, sha256, preprocessing = "letters", "1" * 64, "none"
    modalities = ("text",)

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, texts: list[str]) -> FeatureBatch:
        self.seen += len(texts)
        return FeatureBatch(torch.tensor([[float(text.count(letter)) for letter in "abc"] for text in texts]))


def words(lines: Sequence[str] = LINES) -> WordTokenizer:
    return WordTokenizer.of(lines)


def bigrams(table: Tensor | None = None, tokenizer: WordTokenizer | None = None) -> Bigrams:
    """With the vocabulary of `LINES`, and a table of its own where one is given; else words are about equally likely."""
    tokenizer = tokenizer or words()
    generator = Bigrams(tokenizer.size, tokenizer_bytes=len(encode_tokenizer(tokenizer)))
    generator.set_tokenizer(tokenizer)
    if table is None:
        table = torch.zeros(tokenizer.size, tokenizer.size)
        table[:, [0, 1, 3]] = -30.0  # never special, but the end
    with torch.no_grad():
        generator.table.copy_(table)
    return generator


def with_latent() -> Bigrams:
    """Says of itself that it makes sentences of a ``z``."""
    generator = bigrams()
    generator.latent_size = 2  # type: ignore[assignment]  # `Module` thinks that it is a tensor
    return generator


def silent() -> Silent:
    generator = Silent(tokenizer_bytes=len(encode_tokenizer(words())))
    generator.set_tokenizer(words())
    return generator


def texts(lines: Sequence[str] = LINES, name: str = "letters") -> TextDataset:
    return TextDataset(lines, name)


def text_sets(made: Sequence[str] = ("a b c", "c c a b a", "b b")) -> Sets:
    """What a metric of texts is shown."""
    space = NoFeatures()
    return Sets(space(list(made)), space(LINES), space, [list(made)], texts(), None, 0)
