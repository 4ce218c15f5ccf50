"""Feature spaces of digits: the hidden layer of a small digit classifier. Their figures compare to none of Inception's."""

import torch
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics import BundledClassifier, FeatureBatch, Features
from ganzoo_digits.classifier import CLASSES, IMAGE_SIZE, DigitClassifier

_WEIGHTS = "weights/classifier.safetensors"
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
_PREPROCESSING = f"scaled bicubic with antialiasing to {IMAGE_SIZE}x{IMAGE_SIZE}"


class DigitFeatures(BundledClassifier):
    """64 non-negative features and the scores of ten digits, from grey or colour images of any size.

    Attributes:
        name: ``digits``.
        sha256: Hash of the weights' file.
        classes: ``0`` to ``9``.
    """

    name = "digits"
    classes = tuple("0123456789")
    preprocessing = f"grey, {_PREPROCESSING}"

    def __init__(self) -> None:
        super().__init__(DigitClassifier(), "ganzoo_digits", _WEIGHTS)

    def prepared(self, images: Tensor) -> Tensor:
        """Grey."""
        if images.shape[1] == 1:
            return images
        return (images * torch.tensor(_GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)


class StackedDigitFeatures(Features):
    """Three digits in the three channels of an image: 192 features and the scores of 1,000 numbers (Lin et al. 2018, sec. 4.2).

    The classifier of `DigitFeatures` reads each channel alone. The class of an image with the digits ``r``, ``g`` and ``b`` is
    ``100 r + 10 g + b``, and its score the sum of the three digits' log-probabilities.

    Attributes:
        name: ``stacked-digits``.
        sha256: Hash of the classifier's weights' file.
        classes: ``000`` to ``999``.
    """

    name = "stacked-digits"
    classes = tuple(f"{number:03}" for number in range(CLASSES**3))
    preprocessing = f"each channel alone, {_PREPROCESSING}"

    def __init__(self) -> None:
        self._digits = DigitFeatures()
        self.sha256 = self._digits.sha256

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, 192]`` and scores ``[N, 1000]``, float32 on the CPU, of ``images [N, 3, H, W]`` in [-1, 1].

        Raises:
            DataError: not a batch of images with three channels.
        """
        if images.dim() != 4 or images.shape[1] != 3:
            raise DataError(f"The stacked digit features need images [N, 3, H, W], not {list(images.shape)}.")
        found = self._digits(images.flatten(0, 1).unsqueeze(1))
        assert found.scores is not None
        red, green, blue = found.scores.log_softmax(1).view(len(images), 3, CLASSES).unbind(1)
        scores = red[:, :, None, None] + green[:, None, :, None] + blue[:, None, None, :]
        return FeatureBatch(found.features.view(len(images), -1), scores.flatten(1))
