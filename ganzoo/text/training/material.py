"""The sentences of a run: what is trained on, and what is held out to tell when to stop."""

import hashlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganzoo.data import TextDataset
from ganzoo.data.separability import warn_if_separable
from ganzoo.errors import DataError
from ganzoo.spec import Tokenization
from ganzoo.tokenizers import Tokenizer
from ganzoo.training import Reporter

_BUCKETS = 10_000


@dataclass(frozen=True)
class Material:
    """Encoded sentences.

    Attributes:
        train: int64 ``[N, T]``.
        valid: int64 ``[M, T]``; empty where nothing is held out.
        density: Knows the probability of every sentence, where the data come from such a source; see
            `ganzoo.data.TextDataset`.
    """

    train: Tensor
    valid: Tensor
    density: Any = None


def prepare(
    data: TextDataset, tokenizer: Tokenizer, how: Tokenization, length: int, share: float, reporter: Reporter
) -> Material:
    """The sentences of ``data`` as tokens, and a part of them held out.

    Held out is the data's own validation set, or else the sentences whose hash falls below ``share``: equal sentences are on
    the same side, and no order of the file decides.

    Raises:
        DataError: no sentence is left to train on, or too few to hold some out.
    """
    train = encode(data, tokenizer, how, length, reporter)
    if data.validation is not None:
        _warn_of_a_shift(data, data.validation, reporter)
        return Material(train, encode(data.validation, tokenizer, how, length, reporter), data.density)
    if not share:
        return Material(train, train[:0], data.density)
    out = hashed_below(train, share)
    if out.all() or not out.any():
        raise DataError(
            f"{data.name} has {len(train)} sentences: too few to hold out a share of {share:g}.",
            hint="Give more text, or hold out nothing: --set validation=0",
        )
    return Material(train[~out], train[out], data.density)


def encode(data: TextDataset, tokenizer: Tokenizer, how: Tokenization, length: int, reporter: Reporter) -> Tensor:
    """The sentences of ``data`` as tokens ``[N, length]``; what is left out or unknown is told.

    Raises:
        DataError: nothing is left, or the data are tokens of another vocabulary or length.
    """
    if data.ids is not None:
        return _as_they_are(data, tokenizer, length)
    rows = [tokenizer.encode(line) for line in data.lines]
    fitting = [i for i, row in enumerate(rows) if len(row) > 0 and (how.longer == "cut" or len(row) <= length)]
    if not fitting:
        raise DataError(
            f"None of the {len(rows)} sentences of {data.name} has at most {length} tokens.",
            hint="Allow longer ones (--set tokenizer.length=…) or cut them (--set tokenizer.longer=cut).",
        )
    if len(fitting) < len(rows):
        reporter.note(
            f"{data.name}: {len(rows) - len(fitting)} of {len(rows)} sentences have more than {length} tokens; left out."
        )
    _tell_unknown(data, tokenizer, [rows[i] for i in fitting], reporter)
    return tokenizer.batch([data.lines[i] for i in fitting], length, longer="cut")


def _as_they_are(data: TextDataset, tokenizer: Tokenizer, length: int) -> Tensor:
    assert data.ids is not None
    if data.ids.shape[1] != length or int(data.ids.max()) >= tokenizer.size:
        raise DataError(
            f"{data.name} has sentences of {data.ids.shape[1]} tokens out of {int(data.ids.max()) + 1}; the model is made for "
            f"{length} out of {tokenizer.size}."
        )
    return data.ids


def _warn_of_a_shift(data: TextDataset, held_out: TextDataset, reporter: Reporter) -> None:
    if data.ids is None:
        warning = warn_if_separable(data.lines, held_out.lines)
        if warning is not None:
            reporter.note(warning)


def _tell_unknown(data: TextDataset, tokenizer: Tokenizer, rows: list[list[int]], reporter: Reporter) -> None:
    if tokenizer.unknown is None:
        return
    total = sum(map(len, rows))
    unknown = sum(row.count(tokenizer.unknown) for row in rows)
    if unknown:
        reporter.note(f"{data.name}: {unknown / total:.1%} of {total} tokens are not in the vocabulary.")


def hashed_below(tokens: Tensor, share: float) -> Tensor:
    """Bool ``[N]``: the rows whose hash falls below ``share`` of all hashes."""
    limit = round(share * _BUCKETS)
    digests = (hashlib.sha256(row.numpy().tobytes()).digest() for row in tokens.to(torch.int64))
    return torch.tensor([int.from_bytes(digest[:8], "big") % _BUCKETS < limit for digest in digests], dtype=torch.bool)
