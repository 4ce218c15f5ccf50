"""Numbers that change while a run goes on."""

import math

from ganzoo.spec import Schedule, Scheduled


def value_at(value: Scheduled, images: int, total: int) -> float:
    """``value`` when ``images`` of ``total`` real images were shown.

    A schedule without an ``until`` of its own arrives at ``total``.
    """
    if not isinstance(value, Schedule):
        return value
    until = total if value.until is None else value.until
    if images >= until:
        return value.end
    if images <= value.begin or value.shape == "step":
        return value.start
    share = (images - value.begin) / (until - value.begin)
    if value.shape == "cosine":
        share = (1 - math.cos(math.pi * share)) / 2
    return value.start + share * (value.end - value.start)


def extremes(value: Scheduled) -> tuple[float, float]:
    """The smallest and the largest value that it takes."""
    if not isinstance(value, Schedule):
        return value, value
    return min(value.start, value.end), max(value.start, value.end)
