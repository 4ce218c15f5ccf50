"""Figures that say how good generated samples are, always with what is needed to repeat them.

Importing this package imports no torch: the names are resolved on first use, `METRICS` and `FEATURES` are plain declarations.
"""

from ganzoo.lazy import lazy_names
from ganzoo.metrics.parts import FEATURES, METRICS

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.metrics.evaluation import Evaluation as Evaluation
    from ganzoo.metrics.evaluation import Measurement as Measurement
    from ganzoo.metrics.evaluation import Protocol as Protocol
    from ganzoo.metrics.evaluation import evaluate_generator as evaluate_generator
    from ganzoo.metrics.features import FeatureBatch as FeatureBatch
    from ganzoo.metrics.features import Features as Features
    from ganzoo.metrics.frechet import frechet_distance as frechet_distance
    from ganzoo.metrics.frechet import frechet_from_features as frechet_from_features
    from ganzoo.metrics.manifold import PrecisionRecall as PrecisionRecall
    from ganzoo.metrics.manifold import precision_recall as precision_recall

_PUBLIC = {
    "Evaluation": "evaluation",
    "FeatureBatch": "features",
    "Features": "features",
    "Measurement": "evaluation",
    "PrecisionRecall": "manifold",
    "Protocol": "evaluation",
    "evaluate_generator": "evaluation",
    "frechet_distance": "frechet",
    "frechet_from_features": "frechet",
    "precision_recall": "manifold",
}

__all__ = [
    "FEATURES",
    "METRICS",
    "Evaluation",
    "FeatureBatch",
    "Features",
    "Measurement",
    "PrecisionRecall",
    "Protocol",
    "evaluate_generator",
    "frechet_distance",
    "frechet_from_features",
    "precision_recall",
]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
