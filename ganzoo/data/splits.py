"""Splits that a sentence's own hash decides: the same everywhere, whatever the order of the lines and whoever adds some."""

import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping

from ganzoo.errors import DataError, InvalidValueError


def split_by_hash(lines: Iterable[str], shares: Mapping[str, float]) -> dict[str, list[str]]:
    """``lines`` dealt to named parts by the SHA-256 of each, so that equal lines always lie in one part.

    Parts made from the order of a file may differ in what they are about; these differ by chance alone. Lines keep their
    order.

    Args:
        lines: Sentences.
        shares: The share of each part, in the order in which they divide the range of hashes; together 1.

    Raises:
        InvalidValueError: shares that are not positive, or are not 1 together.
        DataError: a part stays empty.
    """
    if not shares or min(shares.values()) <= 0 or not math.isclose(sum(shares.values()), 1):
        raise InvalidValueError(f"Shares are above 0 and 1 together, not {dict(shares)}.")
    parts: dict[str, list[str]] = {name: [] for name in shares}
    for line in lines:
        parts[_part(hash_share(line), shares)].append(line)
    empty = [name for name, part in parts.items() if not part]
    if empty:
        raise DataError(f"There are too few sentences to split: none for {' and '.join(empty)}.", hint="Give more text.")
    return parts


def hash_share(line: str) -> float:
    """Where in [0, 1) the first 8 bytes of the SHA-256 of ``line`` (UTF-8) stand."""
    return int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big") / 2**64


def _part(value: float, shares: Mapping[str, float]) -> str:
    bounds = zip(shares, itertools.accumulate(shares.values()), strict=True)
    # The last part also takes what rounding may leave above the sum of all shares.
    return next((name for name, bound in bounds if value < bound), list(shares)[-1])
