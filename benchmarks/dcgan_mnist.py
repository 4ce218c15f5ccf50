"""The figures of the card ``dcgan-mnist``, measured again from the weights that ship; and how they were made.

    python benchmarks/dcgan_mnist.py                                  # the shipped weights, 5,000 samples, about a minute
    python benchmarks/dcgan_mnist.py --model runs/dcgan-mnist/model   # a model that you trained yourself

To train again (the command of the card, `ganzoo show dcgan-mnist` prints it), then to write the half-precision files that ship:

    ganzoo train dcgan ...
    python benchmarks/dcgan_mnist.py --model runs/dcgan-mnist/model --half plugins/ganzoo_dcgan/weights/dcgan-mnist

Training takes about 18 minutes of one CPU core; two seeds gave Fréchet distances of 1.50 and 1.79, precisions of 0.709 and
0.704, recalls of 0.799 and 0.800. With the same seed and number of threads (``OMP_NUM_THREADS=1``) the weights come out the
same.

Needs the extra ``datasets``. Features: the digit classifier of the plugin ``digits`` (no Inception); reference: the 4,000
pictures of ``mnist-5k/train`` that the model was trained on; control: the 1,000 held-out pictures of ``mnist-5k/test``.
"""

from shipping import options, run

import ganzoo
from ganzoo.metrics import Evaluation, builtin_metrics, evaluate_generator
from ganzoo_digits.features import DigitFeatures
from ganzoo_digits.mnist import mnist_5k

MODEL = "dcgan-mnist"
SMALLEST_SHARE = 0.04  # of the votes, for every digit


def measure(model: str, samples: int, seed: int) -> Evaluation:
    """The figures of the card, for a name or a model folder."""
    return evaluate_generator(
        ganzoo.load(model, role="generator"),
        mnist_5k(split="train"),
        DigitFeatures(),
        held_out=mnist_5k(split="test"),
        samples=samples,
        seed=seed,
        metrics=builtin_metrics("fid", "pr", "modes"),
        name=model,
    )


def main() -> None:
    arguments = options(__doc__, MODEL).parse_args()
    found = run(arguments, measure, "python benchmarks/dcgan_mnist.py")
    if found is not None and not (arguments.json or arguments.card):
        rarest = min(found.model.votes.values())
        print(f"every digit has at least {SMALLEST_SHARE:.0%} of the votes: {'yes' if rarest >= SMALLEST_SHARE else 'NO'}")


if __name__ == "__main__":
    main()
