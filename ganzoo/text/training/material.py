"""The sentences of a run: what is trained on, and what is held out to tell when to stop."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganzoo.data import TextDataset
from ganzoo.data.separability import warn_if_separable
from ganzoo.data.splits import hash_share
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
        density: Knows the probability of every sentence, where the data come from such a source and these are its tokens; see
            `ganzoo.data.TextDataset`.
    """

    train: Tensor
    valid: Tensor
    density: Any = None


def prepare(
    data: TextDataset, tokenizer: Tokenizer, how: Tokenization, length: int, share: float, reporter: Reporter
) -> Material:
    """The sentences of ``data`` as tokens, and a part of them held out.

    Held out is the data's own validation set, or else what `training_lines` leaves out. A density of other tokens than these
    says nothing about them: it is left out, and that is told.

    Raises:
        DataError: no sentence is left to train on, or too few to hold some out.
    """
    density = known_density(data, tokenizer)
    if density is not data.density:
        reporter.note(f"{data.name} knows the density of its own tokens; this model has others, so it is not used.")
    train, kept = _encoded(data, tokenizer, how, length, reporter)
    if data.validation is not None:
        _warn_of_a_shift(data, data.validation, reporter)
        return Material(train, encode(data.validation, tokenizer, how, length, reporter), density)
    if not share:
        return Material(train, train[:0], density)
    out = _held_out(data, share)[kept]
    _check_both_sides(data, out, share)
    return Material(train[~out], train[out], density)


def training_lines(data: TextDataset, share: float) -> Sequence[str]:
    """The sentences that nothing is held out of; a vocabulary is made of these.

    Held out are those whose hash falls below ``share``: equal sentences are on the same side, and neither the order of the file
    nor the vocabulary decides. Where the data bring a validation set, all of them are trained on.

    Raises:
        DataError: there are too few to hold some out.
    """
    if data.validation is not None or not share:
        return data.lines
    out = _held_out(data, share)
    _check_both_sides(data, out, share)
    return [line for line, held in zip(data.lines, out.tolist(), strict=True) if not held]


def encode(data: TextDataset, tokenizer: Tokenizer, how: Tokenization, length: int, reporter: Reporter) -> Tensor:
    """The sentences of ``data`` as tokens ``[N, length]``; what is left out or unknown is told.

    Raises:
        DataError: nothing is left, or the data are tokens of another vocabulary or length.
    """
    return _encoded(data, tokenizer, how, length, reporter)[0]


def known_density(data: TextDataset, tokenizer: Tokenizer) -> Any:
    """The density of ``data`` where it is one of the tokens of ``tokenizer``, else None."""
    return data.density if data.tokenizer is None or data.tokenizer == tokenizer else None


def check_ids(data: TextDataset, tokenizer: Tokenizer, length: int) -> None:
    """Refuses sentences that come as tokens of another vocabulary or length, and their validation set likewise.

    Raises:
        DataError: they do.
    """
    for each in (data, data.validation):
        if each is None or each.ids is None:
            continue
        if each.ids.shape[1] != length or each.tokenizer != tokenizer:
            same_size = each.tokenizer is not None and each.tokenizer.size == tokenizer.size
            others = " Their tokens are others." if same_size and each.tokenizer != tokenizer else ""
            raise DataError(
                f"{each.name} has sentences of {each.ids.shape[1]} tokens out of {each.tokenizer}; the model is made for "
                f"{length} out of {tokenizer}.{others}",
                hint="Begin with a model that was trained on such data, or with none.",
            )


def _encoded(
    data: TextDataset, tokenizer: Tokenizer, how: Tokenization, length: int, reporter: Reporter
) -> tuple[Tensor, list[int]]:
    """The tokens, and which of the sentences they are."""
    if data.ids is not None:
        check_ids(data, tokenizer, length)
        return data.ids, list(range(len(data.ids)))
    rows = [tokenizer.encode(line) for line in data.lines]
    longer = [] if how.longer == "cut" else [i for i, row in enumerate(rows) if len(row) > length]
    empty = [i for i, row in enumerate(rows) if not row]
    kept = sorted(set(range(len(rows))) - {*longer, *empty})
    if not kept:
        raise _nothing_left(data, len(rows), length, bool(longer))
    for left_out, reason in ((longer, f"have more than {length} tokens"), (empty, "have no token")):
        if left_out:
            reporter.note(f"{data.name}: {len(left_out)} of {len(rows)} sentences {reason}; left out.")
    _tell_unknown(data, tokenizer, [rows[i] for i in kept], reporter)
    return tokenizer.batch([data.lines[i] for i in kept], length, longer="cut"), kept


def _nothing_left(data: TextDataset, count: int, length: int, too_long: bool) -> DataError:
    if not too_long:
        return DataError(f"None of the {count} sentences of {data.name} has a token.", hint="Give other text.")
    return DataError(
        f"None of the {count} sentences of {data.name} has at most {length} tokens.",
        hint="Allow longer ones (--set tokenizer.length=…) or cut them (--set tokenizer.longer=cut).",
    )


def _held_out(data: TextDataset, share: float) -> Tensor:
    """Bool ``[N]``: the sentences whose hash falls below ``share``; that of their ids where they come as such."""
    if data.ids is not None:
        return hashed_below(data.ids, share)
    return torch.tensor([hash_share(line) < share for line in data.lines], dtype=torch.bool)


def _check_both_sides(data: TextDataset, out: Tensor, share: float) -> None:
    if out.all() or not out.any():
        count = len(set(data.lines))
        raise DataError(
            f"{data.name} has {count} different sentence{'s' if count > 1 else ''}: too few to hold out a share of {share:g}.",
            hint="Give more text, or hold out nothing: --set validation=0",
        )


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
