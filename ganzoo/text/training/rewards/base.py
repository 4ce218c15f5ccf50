"""What a reward is: a number for each token of generated sentences, which the policy gradient weighs its likelihood with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from ganzoo.spec import Declaration, Json
from ganzoo.text.discriminators import TextDiscriminator
from ganzoo.text.generators import SequenceGenerator
from ganzoo.training import Draws
from ganzoo.training.invalid import read_options

Opt = TypeVar("Opt", bound=Declaration)
Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Judged:
    """Generated sentences that a reward is asked for.

    Attributes:
        tokens: int64 ``[N, T]``.
        mask: bool ``[N, T]``: the tokens that count.
        score: The worth of whole sentences: int64 ``[M, T]`` to ``[M]``, as the phase's `judge` and `score` have it.
        token_score: The worth of each token of sentences, ``[M, T]`` to ``[M, T]``, where the discriminator judges tokens.
        generator: Who made them.
        draws: Random numbers.
    """

    tokens: Tensor
    mask: Tensor
    score: Score
    token_score: Score | None
    generator: SequenceGenerator
    draws: Draws


class NoOptions(Declaration, frozen=True, kw_only=True):
    """For rewards without options."""


class Reward(ABC, Generic[Opt]):
    """A reward. It is asked under `torch.no_grad`.

    Args:
        options: Its options.

    Attributes:
        Options: A struct of its own options; what stands there can be set in a recipe.
        judges: Whether it asks for scores at all; where it does not, no discriminator is trained for it.
    """

    Options: ClassVar[type[Declaration]] = NoOptions
    judges: ClassVar[bool] = True

    def __init__(self, options: Opt) -> None:
        self.options = options

    @classmethod
    def from_options(cls, name: str, given: Mapping[str, Json], path: str | None = None) -> "Reward[Any]":
        """The reward ``name`` with the options of a recipe.

        Args:
            name: As people call it.
            given: Its options.
            path: Where they stand in the recipe, for the error.

        Raises:
            ConfigError: one that it does not have, or cannot use.
        """
        options: Any = read_options(f"The reward '{name}'", given, cls.Options, path)
        return cls(options)

    def check(self, judges_tokens: bool) -> None:
        """Refuses, before the run begins, a judge that it cannot work with.

        Args:
            judges_tokens: Whether `Judged.token_score` will be there.

        Raises:
            ConfigError: it cannot.
        """

    @abstractmethod
    def __call__(self, judged: Judged) -> Tensor:
        """The reward of each token, ``[N, T]``; what it is outside of the mask does not matter."""


def token_scores_of(discriminator: TextDiscriminator) -> Score | None:
    """The method ``token_scores(x) -> [N, T]`` of a discriminator that judges single tokens, else None."""
    found: Score | None = getattr(discriminator, "token_scores", None)
    return found


def spread(scores: Tensor, like: Tensor) -> Tensor:
    """Scores ``[N]`` of sentences given to each of their tokens, ``[N, T]`` as ``like`` has."""
    return scores[:, None].expand(-1, like.shape[1]).to(torch.float32)
