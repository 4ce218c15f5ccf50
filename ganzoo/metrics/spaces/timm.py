"""Any backbone of timm as a feature space, its weights from the Hub or from a file. Needs the extra ``evaluation``."""

from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import config as data_config
from timm.models import get_pretrained_cfg, is_model
from torch import Tensor, nn

from ganzoo.checkpoint import StateDict, read_checkpoint, read_safetensors
from ganzoo.errors import CheckpointError, InvalidValueError, UnknownNameError
from ganzoo.hub import fetch_file
from ganzoo.metrics.features import FeatureBatch, Features, state_sha256
from ganzoo.metrics.spaces.resize import as_rgb, resize
from ganzoo.naming import closest

_FILE = "model.safetensors"
_BATCH = 64  # images at once: these networks are large


class TimmFeatures(Features):
    """The last features before the classifier, and the classifier's scores, of images scaled as the network expects them.

    Args:
        variant: The name of a backbone in timm, with its tag where there are several, e.g. ``resnet50.a1_in1k``.
        weights: A file with its weights, safetensors or a ``torch.save`` file (read as data, never executed). From the Hub
            when left out.
        revision: Commit, tag or branch of the Hub repository.

    Raises:
        UnknownNameError: timm has no such backbone; carries the closest names.
        InvalidValueError: no name, or one that the Hub has no safetensors weights of.
        CheckpointError: the weights do not fit it, or their file cannot be used.
        HubError: the weights could not be had; the message says what to do.
    """

    def __init__(self, variant: str = "", *, weights: Path | None = None, revision: str | None = None) -> None:
        config = _find(variant)
        if weights is not None:
            state, origin = _read(weights), weights.name
        else:
            fetched = fetch_file(_repository(variant, config), _FILE, revision=revision)
            state, _ = read_safetensors(fetched.path)
            origin = f"{config.hf_hub_id}@{(fetched.revision or '')[:10]}"
        self._network = _build(variant, state, origin)
        self.name = f"timm:{variant}"
        self.sha256 = state_sha256(self._network.state_dict())
        self.classes = tuple(str(i) for i in range(self._network.num_classes))
        self._device = torch.device("cpu")
        resolve: Any = data_config.resolve_model_data_config  # not annotated
        data: dict[str, Any] = resolve(self._network)
        self._size: tuple[int, int] = tuple(data["input_size"][-2:])
        self._mode = data["interpolation"] if data["interpolation"] in ("bilinear", "bicubic") else "bicubic"
        self._mean, self._deviation = (torch.tensor(data[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        self.preprocessing = (
            f"whole image scaled {self._mode} with antialiasing to {self._size[0]}x{self._size[1]}, "
            f"mean {_numbers(data['mean'])}, deviation {_numbers(data['std'])}, weights {origin}"
        )

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, D]`` and scores ``[N, K]``, float32 on the CPU, of ``images [N, 1 | 3, H, W]`` in [-1, 1].

        Raises:
            DataError: not a batch of grey or colour images.
        """
        parts = [self._measure(part) for part in torch.split(as_rgb(images, self.name), _BATCH)]
        scores = torch.cat([part.scores for part in parts if part.scores is not None]) if self.classes else None
        return FeatureBatch(torch.cat([part.features for part in parts]), scores)

    def to(self, device: torch.device) -> None:
        """Compute there from now on."""
        self._device = device
        self._network.to(device)

    def _measure(self, images: Tensor) -> FeatureBatch:
        x = (resize(images.float(), self._size, self._mode) + 1) / 2
        x = ((x - self._mean) / self._deviation).to(self._device)
        with torch.inference_mode():
            maps = self._network.forward_features(x)
            features = self._network.forward_head(maps, pre_logits=True)
            scores = self._network.forward_head(maps) if self.classes else None
        return FeatureBatch(features.float().cpu().clone(), None if scores is None else scores.float().cpu().clone())


def _find(variant: str) -> Any:
    if not variant:
        raise InvalidValueError("A backbone of timm needs its name.", hint="For example: timm:resnet50.a1_in1k")
    base = variant.partition(".")[0]
    if not is_model(base):
        raise UnknownNameError("backbone in timm", variant, closest(base, timm.list_models()))
    try:
        return get_pretrained_cfg(variant)
    except RuntimeError as e:  # no such tag
        tags = [name for name in timm.list_pretrained(f"{base}.*") if name.partition(".")[0] == base]
        raise UnknownNameError("backbone in timm", variant, tags) from e


def _repository(variant: str, config: Any) -> str:
    if config is None or not config.hf_hub_id or config.custom_load:
        raise InvalidValueError(
            f"timm has no safetensors weights of '{variant}' on the Hub.", hint=f"Give a file: timm:{variant}@/path/to/weights"
        )
    return str(config.hf_hub_id)


def _read(file: Path) -> dict[str, Tensor]:
    states: tuple[StateDict, ...] = read_checkpoint(file).states
    largest = max(states, key=lambda state: len(state.tensors))
    return dict(largest.tensors)


def _build(variant: str, state: dict[str, Tensor], origin: str) -> Any:
    """The network with these weights, through timm's own loading, which knows the older key layouts of its networks."""
    try:
        network: nn.Module = timm.create_model(variant, pretrained=True, pretrained_cfg_overlay={"state_dict": state})
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as e:
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise CheckpointError(f"The weights {origin} do not fit the backbone '{variant}': {reason}") from e
    network.pretrained_cfg.pop("state_dict", None)  # type: ignore[operator,union-attr]  # timm keeps a second copy there
    return network.eval().requires_grad_(False)


def _numbers(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:g}" for value in values)
