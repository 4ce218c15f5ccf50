"""Augmentation in training: what both networks' images go through before the discriminator sees them.

Importing this package imports no torch: the names are resolved on first use, `AUGMENTATIONS` are plain declarations.
"""

from ganzoo.lazy import lazy_names
from ganzoo.training.augment.parts import AUGMENTATIONS

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.training.augment.adaptive import AdaptiveProbability as AdaptiveProbability
    from ganzoo.training.augment.pipeline import Augmentation as Augmentation
    from ganzoo.training.augment.pipeline import Pipeline as Pipeline
    from ganzoo.training.augment.pipeline import build_pipeline as build_pipeline

_PUBLIC = {
    "AdaptiveProbability": "adaptive",
    "Augmentation": "pipeline",
    "Pipeline": "pipeline",
    "build_pipeline": "pipeline",
}

__all__ = ["AUGMENTATIONS", "AdaptiveProbability", "Augmentation", "Pipeline", "build_pipeline"]

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
