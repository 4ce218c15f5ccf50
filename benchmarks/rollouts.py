"""Rollout rewards of one step of SeqGAN's generator: the engine against what public ports do.

    python benchmarks/rollouts.py

64 sentences of 20 tokens, a vocabulary of 5,000, an LSTM of 32 units, 16 rollouts of every position, the published
discriminator, one thread. The public way, here without any engine: for every rollout and position the prefix is run again from
its beginning with a softmax over the vocabulary at each step, the rest is drawn with `torch.multinomial`, and the discriminator
judges these 64 sentences. It takes as long for every rollout, so it is run ``--naive`` times and its seconds are scaled up to
the 16; both sides' are CPU seconds, with the time that the discriminator takes apart. The rewards of the two are compared by
position: their means over the sentences must agree within the Monte-Carlo error of their difference.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.text import LSTMGenerator, rollout_rewards
from ganzoo.text.discriminators import CNNDiscriminator

OVERALL, SAMPLING = 3, 8  # times faster, at least


class Judge:
    """The probability of being real, and the CPU seconds that it took to say so.

    An untrained discriminator finds all sentences alike, and equal rewards would say nothing: its logits are spread out.
    """

    def __init__(self, discriminator: CNNDiscriminator, tokens: Tensor) -> None:
        logits = discriminator(tokens)
        self.discriminator, self.centre, self.scale = discriminator, logits.mean(), logits.std()
        self.seconds = 0.0

    def __call__(self, tokens: Tensor) -> Tensor:  # noqa: D102
        start = time.process_time()
        scores: Tensor = ((self.discriminator(tokens) - self.centre) / self.scale).sigmoid()
        self.seconds += time.process_time() - start
        return scores


def naive(generator: LSTMGenerator, judge: Judge, tokens: Tensor, rollouts: int) -> Tensor:
    n, length = tokens.shape
    rewards = torch.empty(rollouts, n, length)
    for rollout in range(rollouts):
        for position in range(length):
            sentence, state = tokens.clone(), generator.begin(n)
            inputs = torch.full((n,), generator.start_token)
            for t in range(length):
                hidden, state = generator.step(inputs, state)
                p = generator.head(hidden).log_softmax(1).exp()
                if t > position:
                    sentence[:, t] = torch.multinomial(p, 1)[:, 0]
                inputs = sentence[:, t]
            rewards[rollout, :, position] = judge(sentence)
    return rewards


def timed(judge: Judge, work: Callable[[], Tensor]) -> tuple[Tensor, float, float]:
    """The rewards, and CPU seconds overall and without the judge."""
    judge.seconds, start = 0.0, time.process_time()
    rewards = work()
    overall = time.process_time() - start
    return rewards, overall, overall - judge.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=16)
    parser.add_argument("--naive", type=int, default=1, help="rollouts that the public way is measured on, and scaled from")
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = LSTMGenerator(init_std=1.0).eval().requires_grad_(False)
    discriminator = CNNDiscriminator(5000, 20).eval().requires_grad_(False)
    tokens = generator.sample(arguments.batch, seed=0).tensor
    judge = Judge(discriminator, tokens)
    rng = torch.Generator().manual_seed(0)
    ours, *fast = timed(judge, lambda: rollout_rewards(generator, judge, tokens, rollouts=arguments.rollouts, rng=rng))
    theirs, *slow = timed(judge, lambda: naive(generator, judge, tokens, arguments.naive))
    slow = [seconds * arguments.rollouts / arguments.naive for seconds in slow]
    print(f"{arguments.rollouts} rollouts x 20 positions x batch {arguments.batch}, CPU seconds of one thread")
    print(f"(the public way measured on {arguments.naive} and scaled to {arguments.rollouts} rollouts)")
    for what, limit, naive_s, engine_s in zip(("overall", "sampling"), (OVERALL, SAMPLING), slow, fast, strict=True):
        print(f"{what:9} {naive_s:6.1f} s -> {engine_s:5.2f} s, {naive_s / engine_s:5.1f} times faster  (at least {limit})")
    report(ours, theirs)


def report(ours: Tensor, theirs: Tensor) -> None:
    """Differences in standard errors: each sentence gives one difference, and sentences are independent."""
    differences = theirs.mean(0) - ours
    prefixes = differences[:, :-1]
    by_position = prefixes.mean(0) / (prefixes.std(0) / len(prefixes) ** 0.5)
    whole = prefixes.mean(1)
    error = whole.std() / len(whole) ** 0.5
    print(f"rewards of whole sentences: largest difference {float(differences[:, -1].abs().max()):.1e}")
    print(
        f"rewards of prefixes, {float(ours[:, :-1].mean()):.3f} with a spread of {float(ours[:, :-1].std()):.3f}: "
        f"mean difference {float(whole.mean()):+.4f} +- {float(error):.4f}; by position between "
        f"{float(by_position.min()):+.2f} and {float(by_position.max()):+.2f} standard errors"
    )


if __name__ == "__main__":
    main()
