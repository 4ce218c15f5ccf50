"""Feature spaces of digits: the hidden layer of a small digit classifier. Their figures compare to none of Inception's."""

import hashlib
from importlib.resources import files

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError
from ganzoo.metrics import FeatureBatch, Features
from ganzoo_digits.classifier import CLASSES, IMAGE_SIZE, DigitClassifier

_WEIGHTS = "weights/classifier.safetensors"
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
_PREPROCESSING = f"scaled bicubic with antialiasing to {IMAGE_SIZE}x{IMAGE_SIZE}"


class DigitFeatures(Features):
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
        content = (files("ganzoo_digits") / _WEIGHTS).read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._network = DigitClassifier().eval().requires_grad_(False)
        # Strict but for the batches counted by batch normalisation, which evaluation does not use.
        missing, unexpected = self._network.load_state_dict(load(content), strict=False)
        if unexpected or not all(key.endswith("num_batches_tracked") for key in missing):
            raise DataError(f"{_WEIGHTS} of ganzoo_digits does not fit its classifier: {missing}, {unexpected}.")

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, 64]`` and scores ``[N, 10]``, float32 on the CPU, of ``images [N, 1 | 3, H, W]`` in [-1, 1].

        Raises:
            DataError: not a batch of grey or colour images.
        """
        x = _checked(images, (1, 3), "digit").float().cpu()
        if x.shape[1] == 3:
            x = (x * torch.tensor(_GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
        if x.shape[-2:] != (IMAGE_SIZE, IMAGE_SIZE):
            x = F.interpolate(x, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bicubic", antialias=True).clamp(-1, 1)
        with torch.inference_mode():
            features, scores = self._network(x)
        return FeatureBatch(features.clone(), scores.clone())


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
        x = _checked(images, (3,), "stacked digit")
        found = self._digits(x.flatten(0, 1).unsqueeze(1))
        assert found.scores is not None
        red, green, blue = found.scores.log_softmax(1).view(len(x), 3, CLASSES).unbind(1)
        scores = red[:, :, None, None] + green[:, None, :, None] + blue[:, None, None, :]
        return FeatureBatch(found.features.view(len(x), -1), scores.flatten(1))


def _checked(images: Tensor, channels: tuple[int, ...], what: str) -> Tensor:
    if images.dim() != 4 or images.shape[1] not in channels:
        allowed = " | ".join(str(n) for n in channels)
        raise DataError(f"The {what} features need images [N, {allowed}, H, W], not {list(images.shape)}.")
    return images
