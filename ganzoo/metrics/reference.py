"""Features of real data, computed once for each data set, shape and feature space, and kept in the cache.

A file is named after everything that its content depends on and carries a hash of it, so it is never stale; one that is damaged
is computed again.
"""

import hashlib
import json
import logging
import warnings
from pathlib import Path

from torch import Tensor

from ganzoo.checkpoint import read_safetensors, write_safetensors
from ganzoo.data import Dataset
from ganzoo.data.decode import VERSION
from ganzoo.errors import CacheWarning, CorruptFileError, OutputError
from ganzoo.metrics.extraction import Progress, Real, extract, real_examples
from ganzoo.metrics.features import FeatureBatch, Features, NoFeatures, state_sha256
from ganzoo.metrics.protocol import text_versions, versions
from ganzoo.paths import cache_home

PREPARATION = "1"  # of `Dataset.prepare`: count up when the same data set and shape give other examples than before
_CONTENT = "content_sha256"
_log = logging.getLogger("ganzoo")


def reference_features(
    data: Dataset, shape: tuple[int, ...], space: Features, *, progress: Progress | None = None, cache: bool = True
) -> FeatureBatch:
    """Features of all examples of ``data`` in the shape of a generator's output.

    Args:
        data: Real data.
        shape: ``(C, H, W)``, ``(D,)``, or anything for texts, which have none.
        space: The feature space.
        progress: Called with the number of examples finished since the last call.
        cache: Look in the cache, and keep there what is computed. A `CacheWarning` tells where that is not possible.

    Raises:
        DataError: examples that cannot be used.
    """
    return features_of(real_examples(data, shape), space, progress=progress, cache=cache)


def features_of(real: Real, space: Features, *, progress: Progress | None = None, cache: bool = True) -> FeatureBatch:
    """As `reference_features`, of examples that may have been prepared already."""
    count = len(real)  # prepares them: the hash is that of the pictures which can be used
    if not cache or isinstance(space, NoFeatures):
        return extract(real, space, progress)
    file = cache_path(real.data, real.shape, space)
    kept = _read(file, count)
    if kept is not None:
        if progress is not None:
            progress(count)
        return kept
    found = extract(real, space, progress)
    _write(file, found)
    return found


def cache_path(data: Dataset, shape: tuple[int, ...], space: Features) -> Path:
    """Where the features of ``data`` are kept, as these versions of ganzoo and of the packages that it uses compute them."""
    made = [PREPARATION, VERSION, versions(), *([text_versions()] if data.modality == "text" else [])]
    parts = [made, data.sha256, list(shape), space.name, space.sha256, space.preprocessing]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return cache_home() / "features" / f"{key}.safetensors"


def _read(file: Path, count: int) -> FeatureBatch | None:
    if not file.is_file():
        return None
    try:
        tensors, metadata = read_safetensors(file)
        if state_sha256(tensors) == metadata.get(_CONTENT) and len(tensors["features"]) == count:
            return FeatureBatch(tensors["features"], tensors.get("scores"))
        reason = f"{file} does not hold what was written there"
    except (CorruptFileError, OSError, KeyError) as e:
        reason = str(e)
    _log.warning("Features of the reference are computed again: %s", reason)
    return None


def _write(file: Path, batch: FeatureBatch) -> None:
    tensors: dict[str, Tensor] = {"features": batch.features}
    if batch.scores is not None:
        tensors["scores"] = batch.scores
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(file, tensors, {_CONTENT: state_sha256(tensors)})
    except OSError as e:  # OutputError is one
        reason = e.message if isinstance(e, OutputError) else str(e)
        warnings.warn(f"The features of the reference could not be kept: {reason}", CacheWarning, stacklevel=3)
