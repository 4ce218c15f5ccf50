"""Seeds of single samples: sample ``i`` of seed ``s`` is the same whatever the batch size or the number asked for.

Every sample has a seed of its own, and its latent is drawn on the CPU by a random generator made from that seed alone. The
first sample of seed ``s`` has the seed ``s`` itself; the others are mixed from ``(s, i)`` by SplitMix64 (Steele et al. 2014),
so that runs with neighbouring seeds share no samples. Any sample can be made again alone with its own seed.

There are 2**32 seeds: among 50,000 samples of a run one pair is equal with a probability of 1/4.
"""

import operator
import secrets
from collections.abc import Iterable, Sequence

from ganzoo.errors import InvalidValueError

SEED_LIMIT = 2**32  # torch's CPU generator uses the low 32 bits only: a larger seed would silently equal a smaller one
_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def sample_seeds(n: int, seed: int | None) -> list[int]:
    """The seeds of samples ``0 … n-1`` of ``seed``; of a seed drawn from the operating system when it is None.

    Raises:
        InvalidValueError: ``n`` is not a positive integer or ``seed`` is not in ``[0, 2**32)``.
    """
    n = check_count(n)
    first = secrets.randbelow(SEED_LIMIT) if seed is None else check_seed(seed)
    return [first, *(_mix(first, i) for i in range(1, n))]


def side_seed(seed: int, stream: int) -> int:
    """A seed for what a sample needs besides its latent, noise say; none that `sample_seeds` makes of ``seed``.

    Args:
        seed: Of the single sample.
        stream: From 1: which of the things that it needs.

    Raises:
        InvalidValueError: ``seed`` is not in ``[0, 2**32)``.
    """
    return _mix(check_seed(seed), -stream)  # samples are counted upwards


def check_count(n: int, what: str = "The number of samples") -> int:
    """``n`` as a positive integer; ``what`` is named in the error.

    Raises:
        InvalidValueError: it is not one.
    """
    count = _integer(n, what)
    if count < 1:
        raise InvalidValueError(f"{what} must be at least 1, not {count}.")
    return count


def check_seed(seed: int) -> int:
    """``seed`` as an integer in ``[0, 2**32)``.

    Raises:
        InvalidValueError: it is not one.
    """
    value = _integer(seed, "A seed")
    if not 0 <= value < SEED_LIMIT:
        raise InvalidValueError(f"A seed must be between 0 and {SEED_LIMIT - 1}, not {value}.")
    return value


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Each of ``seeds`` checked; at least one.

    Raises:
        InvalidValueError: none is given, or one is out of range.
    """
    if not isinstance(seeds, Iterable):
        raise InvalidValueError(f"`seeds` is a list of seeds, not {seeds!r}.", hint="For one seed, write seeds=[…] or seed=….")
    checked = [check_seed(s) for s in seeds]
    if not checked:
        raise InvalidValueError("No seeds were given; give at least one.")
    return checked


def _integer(value: object, what: str) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError("a bool is no number here")
        return operator.index(value)  # type: ignore[arg-type]  # that is the question
    except TypeError as e:
        raise InvalidValueError(f"{what} must be a whole number, not {value!r}.") from e


def _mix(seed: int, index: int) -> int:
    x = (seed * _GOLDEN + index * 0xD1B54A32D192ED03 + _GOLDEN) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((x ^ (x >> 31)) >> 32) & (SEED_LIMIT - 1)
