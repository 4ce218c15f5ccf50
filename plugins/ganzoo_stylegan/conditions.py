"""The class of an image as weights of the classes."""

from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.nn import one_hot


def class_weights(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor | None:
    """The condition of each sample of ``batch`` as weights ``[N, num_classes]`` in its dtype; None without classes.

    Args:
        c: Class of each, int64 ``[N]``, or one for all, or floating-point weights ``[N, num_classes]`` themselves.
        num_classes: How many there are; with 0, ``c`` is not looked at.
        batch: Whose samples they are.

    Raises:
        InvalidValueError: a class is missing or out of range, or weights have another shape.
    """
    if not num_classes:
        return None
    if not (isinstance(c, Tensor) and c.is_floating_point()):
        return one_hot(c, num_classes, batch)
    if c.shape not in ((len(batch), num_classes), (1, num_classes)):
        raise InvalidValueError(
            f"Weights of classes have the shape {[len(batch), num_classes]}, not {list(c.shape)}.",
            hint="For single classes give whole numbers.",
        )
    return c.to(batch).expand(len(batch), -1)
