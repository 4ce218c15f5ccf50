"""The adversarial phase of SeqGAN and its kin: the generator follows the policy gradient, the discriminator learns between."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from msgspec import Meta
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.models.generator import evaluation_mode
from ganzoo.spec import Json, Name, Optimizer, PositiveInt, Role, TextRecipe
from ganzoo.text.training.baselines import Baseline, Kind
from ganzoo.text.training.ground import HELD_OUT, Ground
from ganzoo.text.training.judging import Judge, Judging, check_judging
from ganzoo.text.training.likelihood import as_it_writes, weighted_nll
from ganzoo.text.training.parts import find_reward
from ganzoo.text.training.phase import TextPhase
from ganzoo.text.training.rewards import Judged, Reward
from ganzoo.text.training.rewards.base import Score, token_scores_of
from ganzoo.training.player import Player

_HELD_OUT = 1000  # sentences of a look: enough to see it rise
_IMPOSSIBLE = -104.0  # a logit whose probability is 0 in single precision: exp(-104) < 2**-150


class PolicyGradientOptions(Judging, frozen=True, kw_only=True):
    """Options of `PolicyGradient`, besides those of `Judging`.

    Attributes:
        generator: The optimiser; the recipe's unless given.
        reward: Name of the reward.
        reward_options: Its own options.
        judge: Who scores sentences: the ``discriminator``, or the ``optimal`` one, ``log p(x) - log q(x)``, where the data
            know their own density (Goodfellow et al. 2014, prop. 1): what the algorithm does with a perfect discriminator.
        score: The worth of a logit: ``probability`` is its logistic function (Yu et al. 2017), ``signed`` twice that less one
            (de Masson d'Autume et al. 2019), ``log-ratio`` the logit itself; that of a sentence which the data's density
            finds impossible is -104, whose probability single precision cannot tell from 0.
        baseline: What is taken off: ``none``, ``batch``, ``position`` or ``ema``; see `Baseline`.
        reduction: ``mean`` over the sentences of the sum over their tokens; ``sum`` over both as published code does, which
            the clipping of gradients feels.
        generator_steps: Updates of the generator a step.
        discriminator_steps: Updates of the discriminator a step, after them.
        mle_every: Steps between two updates by maximum likelihood, which hold the generator at the data (Guo et al. 2018
            take 15); 0 for none.
        look_every: Steps between two looks at the held-out sentences; 0 for none.
    """

    generator: Optimizer | None = None
    reward: Name = "rollout"
    reward_options: dict[str, Json] = {}  # noqa: RUF012  a struct copies it
    judge: Literal["discriminator", "optimal"] = "discriminator"
    score: Literal["probability", "signed", "log-ratio"] = "probability"
    baseline: Kind = "none"
    reduction: Literal["mean", "sum"] = "mean"
    generator_steps: PositiveInt = 1
    discriminator_steps: Annotated[int, Meta(ge=0)] = 15
    mle_every: Annotated[int, Meta(ge=0)] = 0
    look_every: Annotated[int, Meta(ge=0)] = 10


class PolicyGradient(TextPhase[PolicyGradientOptions]):
    """REINFORCE on generated sentences: ``-sum_bt (Q_bt - baseline) log p(y_bt | y_b<t)`` (Yu et al. 2017, eq. 7)."""

    Options = PolicyGradientOptions

    def __init__(self, ground: Ground, steps: int, options: PolicyGradientOptions) -> None:
        super().__init__(ground, steps, options)
        self._reward: Reward[Any] = find_reward(options.reward).from_options(options.reward, options.reward_options)
        self._player = self.player("generator", ground.generator)
        self._judge = Judge(self, options) if self.needs_discriminator(options) and options.discriminator_steps else None
        self._baseline = Baseline(options.baseline, ground.processes)
        if ground.generator.latent_size:
            raise ConfigError(
                f"{type(ground.generator).__name__} makes sentences from a latent z, which a sentence alone does not tell, so "
                "that the policy gradient does not know how probable it was.",
                hint="Use a generator that draws every token, e.g. the architecture seqgan.",
            )
        self._reward.check(self._token_score() is not None)
        if self.needs_density(options) and ground.material.density is None:
            raise ConfigError(
                "The optimal discriminator can be had only for data that know their own density.",
                hint="Train on an oracle or a grammar, or set the option judge=discriminator.",
            )

    @classmethod
    def check(cls, name: str, options: PolicyGradientOptions, recipe: TextRecipe) -> None:
        """See `TextPhase.check`."""
        super().check(name, options, recipe)
        check_judging(name, options)
        path = f"phases.{name}.options.reward_options"
        find_reward(options.reward).from_options(options.reward, options.reward_options, path)

    @classmethod
    def sentences_per_step(cls, options: PolicyGradientOptions, recipe: TextRecipe) -> int:
        """The generator's, and two batches for each update of the discriminator."""
        teaching = 2 * options.discriminator_steps if cls.needs_discriminator(options) else 0
        return recipe.batch_size * (options.generator_steps + teaching)

    @classmethod
    def needs_discriminator(cls, options: PolicyGradientOptions) -> bool:
        """Unless the reward or the judge is another's."""
        return find_reward(options.reward).judges and options.judge == "discriminator"

    @classmethod
    def needs_density(cls, options: PolicyGradientOptions) -> bool:
        """Where the optimal discriminator judges."""
        return find_reward(options.reward).judges and options.judge == "optimal"

    def step(self) -> dict[str, float]:
        """The generator's updates, then the discriminator's."""
        self._player.follow(self.done)
        figures = _means([self._improve() for _ in range(self.options.generator_steps)])
        if self.options.mle_every and (self.done + 1) % self.options.mle_every == 0:
            figures["nll"] = self._hold()
        if self._judge is not None:
            figures |= self._teach(self._judge)
        self.done += 1
        every = self.options.look_every
        if every and len(self.ground.material.valid) and (self.done % every == 0 or self.done == self.steps):
            figures[HELD_OUT] = self.ground.held_out_nll(_HELD_OUT)
        return figures

    def _improve(self) -> dict[str, float]:
        tokens = self.ground.generate(self.ground.rows)
        mask = self.ground.mask(tokens)
        rewards = self._rewards(tokens, mask)
        weights = (rewards - self._baseline(rewards, mask)) * mask
        # Gradients are averaged over the processes: so is the mean over the sentences of all, but not the sum.
        weights = weights / len(tokens) if self.options.reduction == "mean" else weights * self.ground.processes.count
        with as_it_writes(self.ground.generator):
            value = self._player.descend([weighted_nll(self.ground.generator, tokens, weights)])
        mean = self.ground.processes.mean((rewards * self.ground.per_token(mask)).sum())
        return {"g_loss": value, "reward": float(mean)}

    @torch.no_grad()
    def _rewards(self, tokens: Tensor, mask: Tensor) -> Tensor:
        network = self.ground.generator
        with evaluation_mode(network):
            return self._reward(Judged(tokens, mask, self._score, self._token_score(), network, self.ground.draws()))

    def _score(self, tokens: Tensor) -> Tensor:
        return self._worth(self._optimal(tokens) if self.options.judge == "optimal" else self.ground.judge(tokens))

    def _optimal(self, tokens: Tensor) -> Tensor:
        density = self.ground.material.density.log_prob(tokens.cpu()).double().sum(1)
        own = self.ground.generator.log_prob(tokens).double().sum(1)
        ratio: Tensor = density.to(own.device) - own
        return ratio.float()

    def _token_score(self) -> Score | None:
        judge = token_scores_of(self.ground.discriminator) if self.needs_discriminator(self.options) else None
        return None if judge is None else lambda tokens: self._worth(judge(tokens))

    def _worth(self, logits: Tensor) -> Tensor:
        match self.options.score:
            case "probability":
                return logits.sigmoid()
            case "signed":
                return 2 * logits.sigmoid() - 1
            case "log-ratio":
                return logits.masked_fill(logits.isneginf(), _IMPOSSIBLE)

    def _hold(self) -> float:
        tokens = self.ground.real()
        mask = self.ground.mask(tokens)
        return self._player.descend([weighted_nll(self.ground.generator, tokens, self.ground.per_token(mask))])

    def _teach(self, judge: Judge) -> dict[str, float]:
        judge.player.follow(self.done)
        judge.pool.drop()
        return _means([judge.update() for _ in range(self.options.discriminator_steps)])

    def players(self) -> dict[Role, Player]:
        """The generator, and the discriminator where it learns."""
        found: dict[Role, Player] = {"generator": self._player}
        return found if self._judge is None else {**found, "discriminator": self._judge.player}

    def state(self) -> dict[str, Any]:
        """Also the baseline; the pool is made anew in every step."""
        return {**super().state(), "baseline": self._baseline.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        super().restore(state)
        self._baseline.restore(state["baseline"])


def _means(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The figures of several updates, averaged."""
    return {name: sum(each[name] for each in rounds) / len(rounds) for name in rounds[0]}
