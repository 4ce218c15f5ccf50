"""Feature spaces that come inside a package: the hidden layer of a small classifier, no download."""

import hashlib
from importlib.resources import files

import torch
from safetensors.torch import load
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics.features import FeatureBatch, Features
from ganzoo.metrics.spaces.resize import resize
from ganzoo.nn import SmallClassifier


class BundledClassifier(Features):
    """Features and class scores of a classifier whose weights are a safetensors file of ``package``.

    A subclass gives ``name``, ``classes`` and ``preprocessing``, and `prepared` where its images need more than scaling.

    Args:
        network: The classifier; the weights go into it.
        package: Whose file it is.
        weights: The file's path inside the package.

    Raises:
        DataError: the weights do not fit.
    """

    def __init__(self, network: SmallClassifier, package: str, weights: str) -> None:
        content = (files(package) / weights).read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._network = network.eval().requires_grad_(False)
        # Strict but for the batches counted by batch normalisation, which evaluation does not use.
        missing, unexpected = self._network.load_state_dict(load(content), strict=False)
        if unexpected or not all(key.endswith("num_batches_tracked") for key in missing):
            raise DataError(f"{weights} of {package} does not fit its classifier: {missing}, {unexpected}.")

    def prepared(self, images: Tensor) -> Tensor:
        """Images ``[N, 1 | 3, H, W]`` with the channels that the classifier reads."""
        return images

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, F]`` and scores ``[N, K]``, float32 on the CPU, of ``images [N, 1 | 3, H, W]`` in [-1, 1].

        Raises:
            DataError: not a batch of grey or colour images.
        """
        if images.dim() != 4 or images.shape[1] not in (1, 3):
            raise DataError(f"The {self.name} features need images [N, 1 | 3, H, W], not {list(images.shape)}.")
        size = self._network.image_size
        with torch.inference_mode():
            features, scores = self._network(resize(self.prepared(images.float().cpu()), (size, size)))
        return FeatureBatch(features.clone(), scores.clone())
