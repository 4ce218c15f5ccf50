"""Completing sentences, and what a token is worth by the completions that follow it (Yu et al. 2017, sec. 3.1).

States are kept and forked instead of running prefixes again, and the completions of all positions, sentences and rollouts are
advanced together. Everything is in the dtype of the weights.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.generator import evaluation_mode
from ganzoo.text.sampling import Restriction, draw_tokens
from ganzoo.text.sequences import State, join, repeat, select, token_mask

if TYPE_CHECKING:  # the generators stand above: they complete the empty sentence
    from ganzoo.text.generators.base import SequenceGenerator

Score = Callable[[Tensor], Tensor]


@torch.no_grad()
def complete(
    generator: "SequenceGenerator",
    tokens: Tensor,
    keep: int,
    uniforms: Tensor,
    *,
    z: Tensor | None = None,
    restriction: Restriction | None = None,
) -> Tensor:
    """Sentences with their first ``keep`` tokens kept and the others drawn, int64 ``[N, T]``, padded behind their end.

    The network is in evaluation mode meanwhile. Sentences that have ended are not advanced any more.

    Args:
        generator: Who continues.
        tokens: Ids ``[N, T]``; those from ``keep`` on are not read.
        keep: How many tokens stay; 0 for new sentences.
        uniforms: ``[N, T]`` in ``[0, 1)``; the one at a place decides the token there.
        z: ``[N, latent_size]`` where the generator has a latent.
        restriction: How tokens are drawn; as the generator has it unless given.
    """
    n, length = tokens.shape
    result = tokens.clone()
    result[:, keep:] = _padding(generator)
    live = torch.arange(n, device=tokens.device)
    inputs = torch.full_like(live, generator.start_token)
    with evaluation_mode(generator):
        state = generator.begin(n, z)
        for t in range(length):
            hidden, state = generator.step(inputs, state)
            if t >= keep:
                result[live, t] = draw_tokens(hidden, generator.head, uniforms[live, t], restriction)
            inputs = result[live, t]
            live, inputs, state = _going_on(generator.end_token, live, inputs, state)
            if not len(live):
                break
    return result


@torch.no_grad()
def rollout_rewards(
    generator: "SequenceGenerator",
    score: Score,
    tokens: Tensor,
    *,
    rollouts: int,
    rng: torch.Generator,
    positions: Iterable[int] | None = None,
    chunk: int = 8192,
    score_rows: int = 512,
) -> Tensor:
    """``Q(s_t, a_t)`` of every token (Yu et al. 2017, eq. 4): the mean score of completions of ``tokens[:, :t + 1]``.

    The token that ends a sentence, or fills its last place, has the score of the sentence itself; what stands behind the end
    has 0. The numbers do not depend on ``chunk`` and ``score_rows``, up to the rounding of the backend.

    Args:
        generator: Whose completions; in evaluation mode meanwhile, and without a latent.
        score: Of whole sentences, int64 ``[M, T]`` to ``[M]``.
        tokens: Ids ``[N, T]``.
        rollouts: Completions of each prefix.
        rng: Where the uniform numbers come from.
        positions: The ``t`` that are completed, all unless given. A token between them takes the value of the next one: the
            mean of that over what can follow is its own, so that it stays unbiased.
        chunk: Completions that are advanced together at most (though always those of one sentence): bounds the memory.
        score_rows: Sentences that ``score`` is given at once.

    Returns:
        ``[N, T]``, of the dtype of the scores.

    Raises:
        InvalidValueError: no rollout, a position outside the sentence, or a generator with a latent.
    """
    n, length = tokens.shape
    chosen = _checked(generator, rollouts, positions, length)
    uniforms = torch.rand(n, len(chosen), rollouts, length, generator=rng).to(tokens.device)
    last = token_mask(tokens, generator.end_token).sum(1) - 1
    sentences = _scored(score, tokens, score_rows)
    rewards = torch.where(torch.arange(length, device=tokens.device) == last[:, None], sentences[:, None], 0.0)
    size = max(1, chunk // max(1, rollouts * len(chosen)))
    for start in range(0, n if chosen else 0, size):
        part = slice(start, start + size)
        open_ = torch.tensor(chosen, device=tokens.device) < last[part, None]  # [m, P]: there is something to complete
        if not open_.any():
            continue
        with evaluation_mode(generator):
            completed = _Forks(generator, tokens[part], chosen, uniforms[part]).run(tokens[part])
        means = _scored(score, completed[open_].flatten(0, 1), score_rows).view(-1, rollouts).mean(1)
        rows, columns = open_.nonzero(as_tuple=True)
        rewards[rows + start, torch.tensor(chosen, device=tokens.device)[columns]] = means
    return _filled(rewards, chosen, last)


class _Forks:
    """Completions of ``tokens [M, T]`` from each of the ascending ``positions`` on.

    The sentences themselves are run through once. At each position their states are forked, and the forks advance together.

    Attributes:
        tokens: The completions, ``[M * P * R, T]``; blank where nothing was drawn yet.
    """

    def __init__(self, generator: "SequenceGenerator", tokens: Tensor, positions: Sequence[int], uniforms: Tensor) -> None:
        m, _, rollouts, length = uniforms.shape
        places = torch.arange(length, device=tokens.device)
        kept = places <= torch.tensor(positions, device=tokens.device)[:, None]
        blank = torch.where(kept, tokens[:, None], _padding(generator))
        self.generator, self.rollouts, self.uniforms = generator, rollouts, uniforms.flatten(0, 2)
        self.tokens = blank.flatten(0, 1).repeat_interleave(rollouts, 0)
        self._of = dict(
            zip(positions, torch.arange(len(self.tokens), device=tokens.device).view(m, -1, rollouts).unbind(1), strict=True)
        )
        self._live = places[:0]  # rows that go on, with their last tokens and states
        self._last, self._state = self._live, cast(State | None, None)

    def run(self, tokens: Tensor) -> Tensor:
        """``[M, P, R, T]``."""
        own = torch.arange(len(tokens), device=tokens.device)
        inputs, state = torch.full_like(own, self.generator.start_token), self.generator.begin(len(own))
        for t in range(tokens.shape[1]):
            self._advance(t)
            if t <= max(self._of) + 1 and len(own):
                hidden, state = self.generator.step(inputs, state)
                if t - 1 in self._of:
                    self._fork(t, self._of[t - 1][own], hidden, state)
                own, inputs, state = _going_on(self.generator.end_token, own, tokens[own, t], state)
        return self.tokens.view(len(tokens), len(self._of), self.rollouts, -1)

    def _advance(self, t: int) -> None:
        """Draws the tokens at ``t`` of all forks that go on."""
        if self._state is None or not len(self._live):
            return
        hidden, self._state = self.generator.step(self._last, self._state)
        self._last = self.tokens[self._live, t] = draw_tokens(hidden, self.generator.head, self.uniforms[self._live, t])
        self._drop_ended()

    def _fork(self, t: int, rows: Tensor, hidden: Tensor, state: State) -> None:
        """Begins ``rows [m, R]``, which share the tokens before ``t``: those at ``t`` are drawn from one distribution."""
        drawn = self.tokens[rows, t] = draw_tokens(hidden, self.generator.head, self.uniforms[rows, t])
        forked = repeat(state, self.rollouts)
        self._state = forked if self._state is None else join(self._state, forked)
        self._live, self._last = torch.cat([self._live, rows.flatten()]), torch.cat([self._last, drawn.flatten()])
        self._drop_ended()

    def _drop_ended(self) -> None:
        assert self._state is not None
        self._live, self._last, self._state = _going_on(self.generator.end_token, self._live, self._last, self._state)


def _going_on(end_token: int | None, rows: Tensor, inputs: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
    """What is left of ``rows`` when those are taken out whose last token, in ``inputs``, was the end."""
    if end_token is None:
        return rows, inputs, state
    going = (inputs != end_token).nonzero()[:, 0]
    return (rows, inputs, state) if len(going) == len(rows) else (rows[going], inputs[going], select(state, going))


def _scored(score: Score, tokens: Tensor, rows: int) -> Tensor:
    return torch.cat([score(part).detach() for part in torch.split(tokens, rows)])


def _filled(rewards: Tensor, positions: Sequence[int], last: Tensor) -> Tensor:
    """Each token's value, or that of the next one that has its own."""
    known = torch.zeros_like(rewards, dtype=torch.bool)
    known[:, list(positions)] = True
    known.scatter_(1, last[:, None], True)
    for t in range(rewards.shape[1] - 2, -1, -1):
        rewards[:, t] = torch.where(known[:, t], rewards[:, t], rewards[:, t + 1])
    return rewards


def _checked(generator: "SequenceGenerator", rollouts: int, positions: Iterable[int] | None, length: int) -> list[int]:
    """The positions in order, without the last: there nothing is left to complete."""
    if rollouts < 1:
        raise InvalidValueError(f"There must be at least one rollout, not {rollouts}.")
    if generator.latent_size:
        raise InvalidValueError(
            f"{type(generator).__name__} makes sentences from a latent, which the sentences alone do not tell.",
            hint="Use the reward of whole sentences.",
        )
    chosen = sorted(set(range(length) if positions is None else positions))
    if chosen and not 0 <= chosen[0] <= chosen[-1] < length:
        raise InvalidValueError(f"The positions of a sentence of {length} tokens are 0 to {length - 1}, not {chosen}.")
    return [t for t in chosen if t < length - 1]


def _padding(generator: "SequenceGenerator") -> int:
    return 0 if generator.pad_token is None else generator.pad_token
