"""From a foreign checkpoint to the zoo's own layout."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganzoo.checkpoint.folder import StoredModel, model_config, write_model
from ganzoo.checkpoint.reading import read_checkpoint
from ganzoo.checkpoint.recognition import Architectures, Match, best_matches, module_classes, recognise
from ganzoo.checkpoint.sniff import sniff
from ganzoo.checkpoint.weights import refuse_nan
from ganzoo.checkpoint.zip_file import check_sums

CONVERTER_VERSION = 3  # raise it when the same file would be converted differently


def convert(
    path: str | Path,
    output: str | Path,
    architectures: Architectures,
    *,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
    distribution: str = "ganzoo-hub",
    overwrite: bool = False,
    allow_nan: bool = False,
) -> StoredModel:
    """Writes the networks in the checkpoint ``path`` as a model of ganzoo in the folder ``output``.

    Args:
        path: Any checkpoint that `read_checkpoint` reads.
        output: A folder; its parent must exist.
        architectures: As for `recognise`.
        architecture: As for `recognise`.
        config: As for `recognise`.
        distribution: The package that brings the architecture's plugin.
        overwrite: Replace a model that is there.
        allow_nan: Write weights that are not all numbers. Without it they are refused, as `load` does.

    Raises:
        CheckpointError: the file cannot be read or recognised, or has weights that are NaN.
        OutputError: ``output`` cannot be written.
    """
    checkpoint = read_checkpoint(path, classes=module_classes(architectures, architecture))
    matches = recognise(checkpoint, architectures, architecture=architecture, config=config)
    return store(path, output, matches, distribution=distribution, overwrite=overwrite, allow_nan=allow_nan)


def store(
    path: str | Path,
    output: str | Path,
    matches: Iterable[Match],
    *,
    distribution: str = "ganzoo-hub",
    overwrite: bool = False,
    allow_nan: bool = False,
) -> StoredModel:
    """Writes networks that were recognised in ``path``; where a role has raw and averaged weights, the averaged ones.

    Args:
        path: The file that they were recognised in.
        output: A folder; its parent must exist.
        matches: What was recognised, at least one, all of one architecture.
        distribution: The package that brings the architecture's plugin.
        overwrite: Replace a model that is there.
        allow_nan: Write weights that are not all numbers. Without it they are refused, as `load` does.

    Raises:
        CorruptFileError: the file's own checksums do not fit its weights.
        CheckpointError: it has weights that are NaN.
        OutputError: ``output`` cannot be written.
    """
    if sniff(Path(path)) == "torch-zip":
        check_sums(Path(path))
    best = best_matches(matches)
    for match in best.values() if not allow_nan else ():
        refuse_nan(match.state, f"{path}, at '{match.place}'," if match.place else str(path))
    first = next(iter(best.values()))
    digest = file_sha256(path)
    description = model_config(
        first.architecture.id,
        first.plugin,
        {role: match.config for role, match in best.items()},
        distribution=distribution,
        source={role: {"sha256": digest, "layout": match.layout, "place": match.place} for role, match in best.items()},
    )
    return write_model(output, description, {role: match.state for role, match in best.items()}, overwrite=overwrite)


def conversion_key(sha256: str, architecture: str = "", config: Mapping[str, Any] | None = None) -> str:
    """The name under which the conversion of a file is cached: 64 hexadecimal digits.

    Args:
        sha256: Of the source file.
        architecture: What was asked for, if anything.
        config: The arguments that were given, if any.
    """
    settings = sorted((config or {}).items())
    return hashlib.sha256(f"{CONVERTER_VERSION}\n{sha256}\n{architecture}\n{settings!r}".encode()).hexdigest()


def file_sha256(path: str | Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
