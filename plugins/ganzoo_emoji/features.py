"""The feature space ``emoji``: the hidden layer of a small classifier of emoji. Its figures compare to none of Inception's."""

import hashlib
from importlib.resources import files

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError
from ganzoo.metrics import FeatureBatch, Features
from ganzoo_emoji.classifier import IMAGE_SIZE, EmojiClassifier
from ganzoo_emoji.emoji import CATEGORIES

_WEIGHTS = "weights/classifier.safetensors"


class EmojiFeatures(Features):
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
        content = (files("ganzoo_emoji") / _WEIGHTS).read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._network = EmojiClassifier().eval().requires_grad_(False)
        # Strict but for the batches counted by batch normalisation, which evaluation does not use.
        missing, unexpected = self._network.load_state_dict(load(content), strict=False)
        if unexpected or not all(key.endswith("num_batches_tracked") for key in missing):
            raise DataError(f"{_WEIGHTS} of ganzoo_emoji does not fit its classifier: {missing}, {unexpected}.")

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, 96]`` and scores ``[N, 9]``, float32 on the CPU, of ``images [N, 1 | 3, H, W]`` in [-1, 1].

        Raises:
            DataError: not a batch of grey or colour images.
        """
        if images.dim() != 4 or images.shape[1] not in (1, 3):
            raise DataError(f"The emoji features need images [N, 1 | 3, H, W], not {list(images.shape)}.")
        x = images.float().cpu().expand(-1, 3, -1, -1)
        if x.shape[-2:] != (IMAGE_SIZE, IMAGE_SIZE):
            x = F.interpolate(x, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bicubic", antialias=True).clamp(-1, 1)
        with torch.inference_mode():
            features, scores = self._network(x)
        return FeatureBatch(features.clone(), scores.clone())
