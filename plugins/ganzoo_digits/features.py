"""The feature space ``digits``: the hidden layer of a small digit classifier. Its figures compare to none of Inception's."""

import hashlib
from importlib.resources import files

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError
from ganzoo.metrics import FeatureBatch
from ganzoo_digits.classifier import IMAGE_SIZE, DigitClassifier

_WEIGHTS = "weights/classifier.safetensors"
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601


class DigitFeatures:
    """64 non-negative features and the scores of ten digits, from grey or colour images of any size.

    Attributes:
        name: ``digits``.
        sha256: Hash of the weights' file.
        classes: ``0`` to ``9``.
    """

    name = "digits"
    classes = tuple("0123456789")

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
        if images.dim() != 4 or images.shape[1] not in (1, 3):
            raise DataError(f"The digit features need images [N, 1 | 3, H, W], not {list(images.shape)}.")
        x = images.float().cpu()
        if x.shape[1] == 3:
            x = (x * torch.tensor(_GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
        if x.shape[-2:] != (IMAGE_SIZE, IMAGE_SIZE):
            x = F.interpolate(x, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bicubic", antialias=True).clamp(-1, 1)
        with torch.inference_mode():
            features, scores = self._network(x)
        return FeatureBatch(features.clone(), scores.clone())
