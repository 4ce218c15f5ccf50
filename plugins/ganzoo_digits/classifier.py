"""The classifier of digits."""

from ganzoo.nn import SmallClassifier

FEATURES = 64
CLASSES = 10
IMAGE_SIZE = SmallClassifier.image_size


class DigitClassifier(SmallClassifier):
    """Grey images ``[N, 1, 32, 32]`` in [-1, 1] to features ``[N, 64]`` and class scores (logits) ``[N, 10]``."""

    def __init__(self) -> None:
        super().__init__(1, (16, 32, 64), FEATURES, CLASSES)
