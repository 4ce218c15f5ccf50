"""The feature space ``emoji``: the hidden layer of a small classifier of emoji. Its figures compare to none of Inception's."""

from torch import Tensor

from ganzoo.metrics import BundledClassifier
from ganzoo_emoji.classifier import IMAGE_SIZE, EmojiClassifier
from ganzoo_emoji.emoji import CATEGORIES

_WEIGHTS = "weights/classifier.safetensors"


class EmojiFeatures(BundledClassifier):
    """96 non-negative features and the scores of the nine categories, from grey or colour images of any size.

    Attributes:
        name: ``emoji``.
        sha256: Hash of the weights' file.
        classes: The categories, from ``Smileys & Emotion`` to ``Flags``.
    """

    name = "emoji"
    classes = CATEGORIES
    preprocessing = f"colour, scaled bicubic with antialiasing to {IMAGE_SIZE}x{IMAGE_SIZE}"

    def __init__(self) -> None:
        super().__init__(EmojiClassifier(), "ganzoo_emoji", _WEIGHTS)

    def prepared(self, images: Tensor) -> Tensor:
        """With three channels."""
        return images.expand(-1, 3, -1, -1)
