"""The class of an image as weights of the classes."""

from torch import Tensor

from ganzoo import nn


def class_weights(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor | None:
    """As `ganzoo.nn.class_weights`; None, whatever ``c`` is, where there are no classes.

    Raises:
        InvalidValueError: a class is missing or out of range, or weights have another shape.
    """
    return nn.class_weights(c, num_classes, batch) if num_classes else None
