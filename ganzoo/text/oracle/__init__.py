"""Oracles: distributions over sentences whose probabilities are known, and what can be measured against them.

Each name is imported on first use: data that come from an oracle need nothing of what measures.
"""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.text.oracle.dataset import oracle_dataset as oracle_dataset
    from ganzoo.text.oracle.estimate import Estimate as Estimate
    from ganzoo.text.oracle.lstm import LSTMOracle as LSTMOracle
    from ganzoo.text.oracle.measures import Measures as Measures
    from ganzoo.text.oracle.measures import Yardstick as Yardstick
    from ganzoo.text.oracle.temperature import SentenceModel as SentenceModel
    from ganzoo.text.oracle.temperature import Tempered as Tempered
    from ganzoo.text.oracle.weights import OracleWeights as OracleWeights

_PUBLIC = {
    "Estimate": "estimate",
    "LSTMOracle": "lstm",
    "Measures": "measures",
    "OracleWeights": "weights",
    "SentenceModel": "temperature",
    "Tempered": "temperature",
    "Yardstick": "measures",
    "oracle_dataset": "dataset",
}

__all__ = [
    "Estimate",
    "LSTMOracle",
    "Measures",
    "OracleWeights",
    "SentenceModel",
    "Tempered",
    "Yardstick",
    "oracle_dataset",
]

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
