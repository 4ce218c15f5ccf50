"""What the scripts of the shipped models share: their options, half-precision files, the table of figures."""

import argparse
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from ganzoo.checkpoint import read_model, write_safetensors
from ganzoo.metrics import Evaluation, card_metrics, make_tables


def options(description: str | None, model: str) -> argparse.ArgumentParser:
    """The options that all of them have; ``model`` is the name of the shipped one."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=model, help="a name or a model folder")
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything as JSON")
    form.add_argument("--card", action="store_true", help="the figures as a card has them")
    form.add_argument("--half", type=Path, help="only write half-precision files of the model folder --model into this folder")
    return parser


def run(arguments: argparse.Namespace, measure: Callable[[str, int, int], Evaluation], command: str) -> Evaluation | None:
    """What the options ask for: files, or the figures of ``measure(model, samples, seed)``, which are returned.

    Args:
        arguments: As `options` parses them.
        measure: Measures a model.
        command: What makes the figures again, for the card.
    """
    if arguments.half is not None:
        write_half(Path(arguments.model), arguments.half)
        return None
    found = measure(arguments.model, arguments.samples, arguments.seed)
    if arguments.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        print(card_metrics(found, command) if arguments.card else table(found))
    return found


def table(found: Evaluation) -> str:
    """One line a measurement; the votes of the classifier below."""
    made = make_tables([found])[0]
    rows = [row[1:] for row in [made.headers, *made.rows]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    votes = "  ".join(f"{name} {share:.1%}" for name, share in found.model.votes.items())
    return "\n".join([*lines, f"votes of the model: {votes}", str(found.protocol), found.protocol.versions_text])


def write_half(model: Path, folder: Path) -> None:
    """The networks of ``model`` with their floating-point tensors in half precision, and what a card says of the files."""
    stored = read_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    for role in stored.files:
        target = folder / f"{role}.safetensors"
        halves: dict[int, Tensor] = {}  # tied weights stay tied, so that they are stored once
        state = {name: _half(tensor, halves) for name, tensor in stored.state(role).items()}
        write_safetensors(target, state)
        content = target.read_bytes()
        print(f"{target}: sha256 {hashlib.sha256(content).hexdigest()}, {len(content)} bytes")


def _half(tensor: Tensor, known: dict[int, Tensor]) -> Tensor:
    """``tensor`` in half precision where it has a fraction; the same for the same memory."""
    if not tensor.is_floating_point():
        return tensor
    return known.setdefault(tensor.data_ptr(), tensor.half())
