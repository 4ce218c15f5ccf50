"""Evaluations kept beside the model that they are about: ``evaluation.json``."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ganzoo.errors import CorruptFileError, OutputError
from ganzoo.metrics.evaluation import Evaluation
from ganzoo.paths import atomic_path

FILE = "evaluation.json"
FORMAT = 1


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    evaluations: tuple[Evaluation, ...]


def read_record(file: str | Path) -> tuple[Evaluation, ...]:
    """The evaluations in a file, oldest first.

    Raises:
        CorruptFileError: it cannot be read, is damaged, or is of another format.
    """
    path = Path(file)
    try:
        record = msgspec.json.decode(path.read_bytes(), type=_Record, strict=False)  # figures may be the text Infinity
    except (OSError, msgspec.DecodeError) as e:  # a validation error is one
        raise CorruptFileError(f"{path} is no record of evaluations: {e}.", hint="Move it away and evaluate again.") from e
    if record.format != FORMAT:
        raise CorruptFileError(
            f"{path} is of format {record.format}, not {FORMAT}.", hint="Another version of ganzoo wrote it."
        )
    return record.evaluations


def add_to_record(folder: str | Path, evaluation: Evaluation) -> Path:
    """Writes ``evaluation`` into the record of a folder; it takes the place of an earlier one of these weights and protocol.

    Returns:
        The file.

    Raises:
        CorruptFileError: there is a file of that name that is no such record; it is left alone.
        OutputError: it cannot be written.
    """
    file = Path(folder) / FILE
    kept = read_record(file) if file.exists() else ()
    same = (evaluation.weights_sha256, evaluation.protocol)
    others = [each for each in kept if (each.weights_sha256, each.protocol) != same]
    _write(file, [*others, evaluation])
    return file


def _write(file: Path, evaluations: Sequence[Evaluation]) -> None:
    record = {"format": FORMAT, "evaluations": [each.to_json() for each in evaluations]}
    try:
        with atomic_path(file) as temporary:
            temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    except OSError as e:
        raise OutputError(f"{file} cannot be written: {e.strerror or e}.") from e
