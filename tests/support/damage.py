"""Checkpoint files with damage anywhere: an error in words, or other weights; never anything else."""

import random
from pathlib import Path

import pytest

import ganzoo
from ganzoo.errors import GanzooError


def check_damaged(path: Path, whole: bytes, rng: random.Random, positions: int) -> None:
    """Writes ``whole`` to ``path`` with bits flipped, and cut, at so many places each, and loads it.

    Args:
        path: Where to.
        whole: A file that can be loaded.
        rng: Chooses the places.
        positions: How many.
    """
    path.write_bytes(whole)
    ganzoo.load(path)
    for i in range(positions):
        damaged = bytearray(whole)
        for _ in range(1 + i % 3):
            damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            ganzoo.load(path, allow_nan=True)
        except GanzooError as e:
            assert e.message and len(str(e)) < 5000
        path.write_bytes(whole[: rng.randrange(len(whole))])
        with pytest.raises(GanzooError):
            ganzoo.load(path, allow_nan=True)
