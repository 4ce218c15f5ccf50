"""Figures that say how good generated samples are, always with what is needed to repeat them.

Importing this package imports no torch: the names are resolved on first use, `METRICS` and `FEATURES` are plain declarations.
"""

from ganzoo.lazy import lazy_names
from ganzoo.metrics.parts import FEATURES, METRICS, builtin_metrics

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.metrics.bench import Measurement as Measurement
    from ganzoo.metrics.evaluation import Evaluation as Evaluation
    from ganzoo.metrics.evaluation import choose_metrics as choose_metrics
    from ganzoo.metrics.evaluation import evaluate_decodings as evaluate_decodings
    from ganzoo.metrics.evaluation import evaluate_generator as evaluate_generator
    from ganzoo.metrics.evaluation import evaluator as evaluator
    from ganzoo.metrics.features import FeatureBatch as FeatureBatch
    from ganzoo.metrics.features import Features as Features
    from ganzoo.metrics.features import NoFeatures as NoFeatures
    from ganzoo.metrics.frechet import frechet_distance as frechet_distance
    from ganzoo.metrics.frechet import frechet_from_features as frechet_from_features
    from ganzoo.metrics.manifold import DensityCoverage as DensityCoverage
    from ganzoo.metrics.manifold import PrecisionRecall as PrecisionRecall
    from ganzoo.metrics.manifold import density_coverage as density_coverage
    from ganzoo.metrics.manifold import precision_recall as precision_recall
    from ganzoo.metrics.modes import mode_figures as mode_figures
    from ganzoo.metrics.path_lengths import path_length as path_length
    from ganzoo.metrics.plotting import plot_curves as plot_curves
    from ganzoo.metrics.protocol import Protocol as Protocol
    from ganzoo.metrics.record import add_to_record as add_to_record
    from ganzoo.metrics.record import read_record as read_record
    from ganzoo.metrics.reference import reference_features as reference_features
    from ganzoo.metrics.sampling import Decoding as Decoding
    from ganzoo.metrics.sampling import Sampling as Sampling
    from ganzoo.metrics.sampling import plan_sampling as plan_sampling
    from ganzoo.metrics.sets import Compute as Compute
    from ganzoo.metrics.sets import Metric as Metric
    from ganzoo.metrics.sets import Needs as Needs
    from ganzoo.metrics.sets import Sets as Sets
    from ganzoo.metrics.sets import needs as needs
    from ganzoo.metrics.sets import needs_classes as needs_classes
    from ganzoo.metrics.spaces.bundled import BundledClassifier as BundledClassifier
    from ganzoo.metrics.tables import Table as Table
    from ganzoo.metrics.tables import card_metrics as card_metrics
    from ganzoo.metrics.tables import make_tables as make_tables
    from ganzoo.metrics.words import Words as Words
    from ganzoo.metrics.words import words_of as words_of

_PUBLIC = {
    "BundledClassifier": "spaces.bundled",
    "Compute": "sets",
    "Decoding": "sampling",
    "DensityCoverage": "manifold",
    "Evaluation": "evaluation",
    "FeatureBatch": "features",
    "Features": "features",
    "Measurement": "bench",
    "Metric": "sets",
    "Needs": "sets",
    "NoFeatures": "features",
    "PrecisionRecall": "manifold",
    "Protocol": "protocol",
    "Sampling": "sampling",
    "Sets": "sets",
    "Table": "tables",
    "Words": "words",
    "add_to_record": "record",
    "card_metrics": "tables",
    "choose_metrics": "evaluation",
    "density_coverage": "manifold",
    "evaluate_decodings": "evaluation",
    "evaluate_generator": "evaluation",
    "evaluator": "evaluation",
    "frechet_distance": "frechet",
    "frechet_from_features": "frechet",
    "make_tables": "tables",
    "mode_figures": "modes",
    "needs": "sets",
    "needs_classes": "sets",
    "path_length": "path_lengths",
    "plan_sampling": "sampling",
    "plot_curves": "plotting",
    "precision_recall": "manifold",
    "read_record": "record",
    "reference_features": "reference",
    "words_of": "words",
}

__all__ = [
    "FEATURES",
    "METRICS",
    "BundledClassifier",
    "Compute",
    "Decoding",
    "DensityCoverage",
    "Evaluation",
    "FeatureBatch",
    "Features",
    "Measurement",
    "Metric",
    "Needs",
    "NoFeatures",
    "PrecisionRecall",
    "Protocol",
    "Sampling",
    "Sets",
    "Table",
    "Words",
    "add_to_record",
    "builtin_metrics",
    "card_metrics",
    "choose_metrics",
    "density_coverage",
    "evaluate_decodings",
    "evaluate_generator",
    "evaluator",
    "frechet_distance",
    "frechet_from_features",
    "make_tables",
    "mode_figures",
    "needs",
    "needs_classes",
    "path_length",
    "plan_sampling",
    "plot_curves",
    "precision_recall",
    "read_record",
    "reference_features",
    "words_of",
]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
