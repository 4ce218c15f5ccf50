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

import argparse
import hashlib
import json
from pathlib import Path

import ganzoo
from ganzoo.checkpoint import read_model, write_safetensors
from ganzoo.metrics import Evaluation, evaluate_generator
from ganzoo_digits.features import DigitFeatures
from ganzoo_digits.mnist import mnist_5k

SMALLEST_SHARE = 0.04  # of the votes, for every digit


def table(found: Evaluation) -> str:
    """One line a measurement; digits' votes below."""
    lines = [f"{'':24}{'samples':>8}{'Fréchet':>10}{'precision':>11}{'recall':>8}{'rarest digit':>14}"]
    for m in found.measurements:
        f = m.figures
        lines.append(
            f"{m.of:24}{m.samples:8}{f['frechet-distance']:10.3f}{f['precision']:11.3f}{f['recall']:8.3f}{min(m.votes.values()):14.1%}"
        )
    votes = "  ".join(f"{digit} {share:.1%}" for digit, share in found.model.votes.items())
    return "\n".join([*lines, f"votes of the model: {votes}", str(found.protocol)])


def write_half(model: Path, folder: Path) -> None:
    """The networks of ``model`` with their floating-point tensors in half precision, and what a card says of the files."""
    stored = read_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    for role in stored.files:
        target = folder / f"{role}.safetensors"
        state = stored.state(role)
        write_safetensors(target, {k: v.half() if v.is_floating_point() else v for k, v in state.items()})
        content = target.read_bytes()
        print(f"{target}: sha256 {hashlib.sha256(content).hexdigest()}, {len(content)} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="dcgan-mnist", help="a name or a model folder")
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    parser.add_argument(
        "--half", type=Path, help="only write half-precision files of the model folder --model into this folder"
    )
    arguments = parser.parse_args()
    if arguments.half is not None:
        write_half(Path(arguments.model), arguments.half)
        return
    found = evaluate_generator(
        ganzoo.load(arguments.model, role="generator"),
        mnist_5k(split="train"),
        DigitFeatures(),
        held_out=mnist_5k(split="test"),
        samples=arguments.samples,
        seed=arguments.seed,
    )
    print(json.dumps(found.to_json(), indent=2) if arguments.json else table(found))
    rarest = min(found.model.votes.values())
    print(f"every digit has at least {SMALLEST_SHARE:.0%} of the votes: {'yes' if rarest >= SMALLEST_SHARE else 'NO'}")


if __name__ == "__main__":
    main()
