"""Maximum likelihood on SeqGAN's oracle: how NLL_oracle falls over the epochs, and what it costs on held-out sentences.

    python benchmarks/maximum_likelihood.py --oracle target_params.pkl             # 16 epochs of the published recipe
    python benchmarks/maximum_likelihood.py --oracle target_params.pkl --seed 1

The generator, its optimiser and its batches are those of ``ganzoo train seqgan --recipe paper``; sentences are shuffled, which
the published code does not do. The demands are those of the published oracle, whose arrays have no licence and are not shipped;
the published log has 10.17, 9.43, 9.24 and 9.12 at epochs 0, 5, 10 and 15. Nats per word with standard errors, CPU seconds of
one thread with the measuring.
"""

import argparse
import time

import torch
from text_games import game_of

from ganzoo.text.oracle import LSTMOracle, Tempered, Yardstick, oracle_dataset
from ganzoo.training import apply_settings
from ganzoo_seqgan.networks import SeqGANGenerator
from ganzoo_seqgan.recipe import PAPER_RECIPE

EPOCH = 156  # updates
DEMANDS = {6: 9.55, 16: 9.20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", required=True, help="the file of the oracle")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    oracle = LSTMOracle.from_file(arguments.oracle)
    held_out = oracle_dataset(oracle, split="test").ids
    assert held_out is not None
    yardstick = Yardstick(oracle, held_out)
    settings = ["phases.discriminator=null", "phases.adversarial=null", f"phases.mle.steps={arguments.epochs * EPOCH}"]
    recipe = apply_settings(PAPER_RECIPE, settings)
    game = game_of({"generator": SeqGANGenerator}, oracle_dataset(oracle), recipe, arguments.seed)
    start = time.process_time()
    print(
        f"{oracle.name}, seed {arguments.seed}, {arguments.samples:,} samples\nepoch  NLL_oracle       NLL_test         seconds"
    )
    for epoch in range(1, arguments.epochs + 1):
        for _ in range(EPOCH):
            game.step()
        if epoch in DEMANDS or epoch == arguments.epochs or epoch % 5 == 1:
            found = yardstick.measure(Tempered(game.ground.generator), samples=arguments.samples)
            wanted = DEMANDS.get(epoch)
            met = "" if wanted is None else f"   at most {wanted}: {'met' if found.nll_oracle.value <= wanted else 'NOT met'}"
            seconds = time.process_time() - start
            print(f"{epoch:5}  {found.nll_oracle!s:15}  {found.nll_test!s:15}  {seconds:7.0f}{met}", flush=True)


if __name__ == "__main__":
    main()
