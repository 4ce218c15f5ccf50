"""``inception``: the network of the literature's FID, KID and Inception score. Needs the extra ``evaluation``."""

import io
from pathlib import Path

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganzoo.checkpoint import read_checkpoint
from ganzoo.errors import CheckpointError, HubError, IntegrityError
from ganzoo.hub import fetch
from ganzoo.metrics.features import FeatureBatch, Features, state_sha256
from ganzoo.metrics.spaces.resize import as_rgb
from ganzoo.spec import HttpsSource, WeightFile

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0"
WEIGHTS = WeightFile(
    role="encoder",
    path="weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    size=95_628_359,
    format="torch",
)
_LAYERS = ["2048", "logits_unbiased"]  # of FID and of the Inception score
_BATCH = 64  # images at once


class InceptionFeatures(Features):
    """2,048 features and 1,008 scores of the TensorFlow Inception network of 2015-12-05, as torch-fidelity has it.

    The weights are downloaded once (96 MB) and verified; what is in the file is read as data, never executed. Images are
    rounded to 8 bits and scaled as TensorFlow 1 did, bilinear without antialiasing: it makes figures comparable with those of
    the literature, not better.

    Args:
        weights: The file on this machine, for one without a network.

    Raises:
        HubError: the weights could not be had; the message says what to do.
        CheckpointError: the file is damaged, or is another one.
    """

    name = "inception"
    classes = tuple(str(i) for i in range(1008))
    preprocessing = "rounded to 8 bits, scaled bilinear without antialiasing to 299x299 as in TensorFlow 1"
    eight_bit = True

    def __init__(self, *, weights: Path | None = None) -> None:
        self._network = _build(_download() if weights is None else weights)
        self.sha256 = state_sha256(self._network.state_dict())
        self._device = torch.device("cpu")

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, 2048]`` and scores ``[N, 1008]``, float32 on the CPU, of ``images [N, 1 | 3, H, W]`` in [-1, 1].

        Raises:
            DataError: not a batch of grey or colour images.
        """
        pixels = as_rgb(images, self.name).float().mul(127.5).add(127.5).round_().clamp_(0, 255).to(torch.uint8)
        features, scores = [], []
        with torch.inference_mode():
            for part in torch.split(pixels, _BATCH):
                found, logits = self._network(part.to(self._device))
                features.append(found.cpu())
                scores.append(logits.cpu())
        return FeatureBatch(torch.cat(features).clone(), torch.cat(scores).clone())

    def to(self, device: torch.device) -> None:
        """Compute there from now on."""
        self._device = device
        self._network.to(device)


def _download() -> Path:
    try:
        return fetch(HttpsSource(url=URL), WEIGHTS).path
    except IntegrityError:
        raise
    except HubError as e:
        hint = (
            f"Without a network, bring {WEIGHTS.path} from {URL} to this machine and name it: "
            f"inception@/path/to/{WEIGHTS.path}. The feature spaces digits, pixels and raw need no download."
        )
        raise type(e)(f"The weights of the feature space 'inception' could not be had. {e.message}", hint=hint) from e


def _build(file: Path) -> FeatureExtractorInceptionV3:
    """The network with the weights of ``file``.

    Its constructor unpickles whatever it is given. So the file is read as data first, and the constructor is given a copy that
    was written here and holds those tensors alone.
    """
    (state, *_) = read_checkpoint(file).states
    copy = io.BytesIO()
    torch.save({name: tensor.clone() for name, tensor in state.tensors.items()}, copy)
    copy.seek(0)
    try:
        network = FeatureExtractorInceptionV3("inception", _LAYERS, feature_extractor_weights_path=copy)
    except RuntimeError as e:
        raise CheckpointError(
            f"{file} does not hold the weights of this Inception network.", hint=f"It is {WEIGHTS.path} from {URL}."
        ) from e
    return network
