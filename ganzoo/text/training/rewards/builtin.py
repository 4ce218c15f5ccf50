"""The rewards that come with the zoo, and the two that are no rewards at all: the controls that every claim must beat."""

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.spec import Declaration, PositiveInt
from ganzoo.text.rollout import rollout_rewards
from ganzoo.text.training.rewards.base import Judged, NoOptions, Reward, spread


class SentenceReward(Reward[NoOptions]):
    """The score of the whole sentence for each of its tokens: REINFORCE without intermediate values (Williams 1992)."""

    def __call__(self, judged: Judged) -> Tensor:
        """One score a sentence."""
        return spread(judged.score(judged.tokens), judged.tokens)


class RolloutOptions(Declaration, frozen=True, kw_only=True):
    """Options of `RolloutReward`.

    Attributes:
        rollouts: Completions of each prefix.
        positions: Prefixes that are completed: every so manieth token, and the last; the others take the value of the next.
    """

    rollouts: PositiveInt = 16
    positions: PositiveInt = 1


class RolloutReward(Reward[RolloutOptions]):
    """Monte-Carlo search: the mean score of completions of the sentence up to a token (Yu et al. 2017, eq. 4).

    The completions are drawn from the generator as it is now. The paper's roll-out policy lags behind it by a rate; in its
    published code that rate has no effect (the graph reads the live generator), and the numbers were made so.
    """

    Options = RolloutOptions

    def __call__(self, judged: Judged) -> Tensor:
        """The mean score of the completions from each token on."""
        every = self.options.positions
        seed = int(judged.draws.integers(2**31 - 1, 1, like=torch.empty(0))[0])  # another one in each process
        return rollout_rewards(
            judged.generator,
            judged.score,
            judged.tokens,
            rollouts=self.options.rollouts,
            rng=torch.Generator().manual_seed(seed),
            positions=range(every - 1, judged.tokens.shape[1], every),
        )


class PerTokenOptions(Declaration, frozen=True, kw_only=True):
    """Options of `PerTokenReward`.

    Attributes:
        discount: What a step into the future costs.
    """

    discount: Annotated[float, Meta(ge=0, le=1)] = 0.9


class PerTokenReward(Reward[PerTokenOptions]):
    """The discounted sum of the scores of a token and of those after it (Fedus et al. 2018, eq. 4; de Masson d'Autume 2019)."""

    Options = PerTokenOptions

    def check(self, judges_tokens: bool) -> None:
        """Refuses a judge of whole sentences.

        Raises:
            ConfigError: it is one.
        """
        if not judges_tokens:
            raise ConfigError(
                "The reward 'per-token' needs a discriminator that judges single tokens.",
                hint="Choose another reward: sentence or rollout.",
            )

    def __call__(self, judged: Judged) -> Tensor:
        """The returns."""
        assert judged.token_score is not None  # `check` saw to it
        scores = judged.token_score(judged.tokens) * judged.mask
        returns = torch.zeros_like(scores)
        following = torch.zeros_like(scores[:, 0])
        for t in reversed(range(scores.shape[1])):
            following = scores[:, t] + self.options.discount * following
            returns[:, t] = following
        return returns


class ConstantOptions(Declaration, frozen=True, kw_only=True):
    """Options of `ConstantReward`.

    Attributes:
        value: The reward of every token.
    """

    value: float = 1.0


class ConstantReward(Reward[ConstantOptions]):
    """A control: the same for everything, from no discriminator at all.

    It sharpens the distribution, which is reported to lower NLL_oracle as far as SeqGAN does (issue 21 of LantaoYu/SeqGAN).
    """

    Options = ConstantOptions
    judges = False

    def __call__(self, judged: Judged) -> Tensor:
        """The same for everything."""
        return torch.full(judged.tokens.shape, self.options.value, device=judged.tokens.device)


class UniformReward(Reward[NoOptions]):
    """A control: a random number in [0, 1) for each sentence."""

    judges = False

    def __call__(self, judged: Judged) -> Tensor:
        """One random number a sentence."""
        like = torch.empty(0, device=judged.tokens.device)
        return spread(judged.draws.uniform(len(judged.tokens), like=like), judged.tokens)
