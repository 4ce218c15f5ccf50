"""Oracles: what the best and the worst possible model have for NLL_oracle.

    python benchmarks/oracle.py --oracle target_params.pkl    # SeqGAN's, from a file of your own, read without executing it
    python benchmarks/oracle.py                               # one of ours, text-oracle

Entropy: of the oracle's own sentences. Uniform: words drawn evenly. Nats per word with standard errors; the demands are those
of the published oracle, whose arrays have no licence and are not shipped. Seconds are CPU seconds of one thread.
"""

import argparse
import time
from pathlib import Path

import torch

from ganzoo.resources import open_dataset
from ganzoo.text.oracle import Estimate, LSTMOracle

PUBLISHED = 5_000, 20  # words and length
DEMANDS = {"entropy": (5.76, 0.03), "uniform": (11.43, 0.02)}


def open_oracle(name: str) -> LSTMOracle:
    """The oracle of a file, or of a data set."""
    if Path(name).exists():
        return LSTMOracle.from_file(name)
    density = open_dataset(f"{name}:valid").density  # type: ignore[attr-defined]  # a set of another kind has none
    assert isinstance(density, LSTMOracle), f"{name} comes from no oracle"
    return density


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", default="text-oracle", help="a file, or a data set's name")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    oracle, n = open_oracle(arguments.oracle), arguments.samples
    start = time.process_time()
    drawn = oracle.sample(n, seed=arguments.seed)
    sampled = time.process_time()
    entropy = Estimate.of(-oracle.log_prob(drawn).mean(1))
    scored = time.process_time()
    rng = torch.Generator().manual_seed(arguments.seed)
    even = torch.randint(oracle.vocab_size, drawn.shape, generator=rng)
    uniform = Estimate.of(-oracle.log_prob(even).mean(1))
    print(f"{oracle.name}, {n:,} sentences of {oracle.length} words, seed {arguments.seed}")
    for name, found in (("entropy", entropy), ("uniform", uniform)):
        demand = ""
        if Path(arguments.oracle).exists() and (oracle.vocab_size, oracle.length) == PUBLISHED:
            wanted, room = DEMANDS[name]
            met = abs(found.value - wanted) <= room
            demand = f"   demand {wanted} ± {room}: {'met' if met else 'NOT met'}"
        print(f"{name:8} {found}{demand}")
    print(f"sampling {sampled - start:.1f} s, scoring {scored - sampled:.1f} s")


if __name__ == "__main__":
    main()
