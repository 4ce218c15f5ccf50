"""The classifier of emoji."""

from ganzoo.nn import SmallClassifier

FEATURES = 96
CLASSES = 9
IMAGE_SIZE = SmallClassifier.image_size


class EmojiClassifier(SmallClassifier):
    """Colour images ``[N, 3, 32, 32]`` in [-1, 1] to features ``[N, 96]`` and scores (logits) of the categories ``[N, 9]``."""

    def __init__(self) -> None:
        super().__init__(3, (24, 48, 96), FEATURES, CLASSES)
