"""Sentences of another vocabulary as an encoder reads them: where they end, and soft ones as vectors, one position a word."""

import torch
from torch import Tensor

from ganzoo.text.encoders.network import SentenceNetwork
from ganzoo.text.encoders.pieces import PieceTokenizer
from ganzoo.text.sequences import token_mask
from ganzoo.tokenizers import Tokenizer


def extent(ids: Tensor, end: int | None, pad: int | None) -> tuple[Tensor, Tensor]:
    """Where sentences ``[N, T]`` are: positions up to and with the first end, bool ``[N, T]``, and who has an end, ``[N]``."""
    kept = token_mask(ids, end)
    if pad is not None and pad != end:
        kept = kept & (ids != pad)
    return kept, ids.new_zeros(len(ids), dtype=torch.bool) if end is None else (ids == end).any(1)


def soft_sentences(p: Tensor, table: Tensor, network: SentenceNetwork, pieces: PieceTokenizer, tokenizer: Tokenizer) -> Tensor:
    """Sentence vectors ``[N, D]`` of soft sentences: the encoder sees the expected embedding of each word.

    Where every word of a sentence is one word piece, exact one-hots give what its text gives. Gradients reach ``p`` through
    all positions up to the first whose most probable token is the end.

    Args:
        p: Distributions over the vocabulary of ``tokenizer``, ``[N, T, V]``.
        table: An embedding for each of its tokens, ``[V, E]``, on the same device.
        network: The encoder.
        pieces: Its tokenizer.
        tokenizer: Whose vocabulary it is.
    """
    p = p[:, : network.max_tokens - len(pieces.before) - len(pieces.after)]
    kept, ended = extent(p.argmax(2), tokenizer.end, tokenizer.pad)
    if not pieces.after and tokenizer.end is not None:
        kept = kept & (p.argmax(2) != tokenizer.end)  # the encoder has nothing like it
    before, after = (_special(network, ids, len(p)) for ids in (pieces.before, pieces.after))
    vectors = torch.cat([before, p.to(table.dtype) @ table, after], 1)
    always = kept.new_ones(len(p), len(pieces.before))
    behind = ~ended.unsqueeze(1).expand(-1, len(pieces.after))  # the end of a sentence is itself what stands behind it
    result: Tensor = network(torch.cat([always, kept, behind], 1), vectors=vectors)
    return result


def _special(network: SentenceNetwork, ids: list[int], rows: int) -> Tensor:
    return network.token_table[ids].expand(rows, -1, -1)
