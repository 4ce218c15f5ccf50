"""What an encoder's files say about how a sentence becomes one vector: the layout of sentence-transformers, else the usual."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ganzoo.errors import CheckpointError

Pooling = Literal["mean", "cls", "max"]
_LARGEST = 2**20  # bytes of a settings file
_MODES: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}


@dataclass(frozen=True)
class SentenceSettings:
    """How a sentence becomes one vector.

    Attributes:
        pooling: The mean over its tokens, the vector of the first, or the largest of each number.
        normalised: Whether vectors are brought to length 1.
        max_tokens: Longer sentences are cut; special tokens count. None leaves it to the model's configuration.
    """

    pooling: Pooling = "mean"
    normalised: bool = True
    max_tokens: int | None = None

    def describe(self) -> str:
        """In words, for a protocol."""
        return f"{self.pooling} pooling{', normalised' if self.normalised else ''}"


def read_settings(folder: Path) -> SentenceSettings:
    """From the files of sentence-transformers in ``folder``; the defaults where there are none.

    Raises:
        CheckpointError: they ask for something that is not supported, or cannot be read.
    """
    modules = _json(folder / "modules.json")
    if modules is None:
        return SentenceSettings()
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in _objects(modules, folder)]
    other = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
    if other:
        raise CheckpointError(f"The encoder {folder} has layers of the kind {', '.join(other)}, which are not supported.")
    (length,) = _objects([_json(folder / "sentence_bert_config.json") or {}], folder)
    max_tokens = length.get("max_seq_length")
    if max_tokens is not None and (not isinstance(max_tokens, int) or max_tokens < 1):
        raise CheckpointError(f"The encoder {folder} allows {max_tokens!r} tokens a sentence.")
    return SentenceSettings(_pooling(folder), "Normalize" in kinds, max_tokens)


def _pooling(folder: Path) -> Pooling:
    (config,) = _objects([_json(folder / "1_Pooling" / "config.json") or {"pooling_mode_mean_tokens": True}], folder)
    chosen = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    if len(chosen) != 1 or chosen[0] not in _MODES:
        raise CheckpointError(
            f"The encoder {folder} pools by {', '.join(chosen) or 'nothing'}.", hint=f"Supported: one of {', '.join(_MODES)}."
        )
    return _MODES[chosen[0]]


def _objects(values: Any, folder: Path) -> list[dict[str, Any]]:
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise CheckpointError(f"The settings of the encoder {folder} have an unknown form.")
    return values


def _json(file: Path) -> Any:
    """What ``file`` says, or None where there is none."""
    try:
        with file.open("rb") as stream:
            return json.loads(stream.read(_LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as e:
        raise CheckpointError(f"{file} cannot be read: {e}.") from e
