"""Networks that write: token by token, each from what came before."""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.text.generators.base import SequenceGenerator as SequenceGenerator
    from ganzoo.text.generators.causal import CausalLMGenerator as CausalLMGenerator
    from ganzoo.text.generators.lstm import LSTMGenerator as LSTMGenerator

_PUBLIC = {
    "CausalLMGenerator": "causal",
    "LSTMGenerator": "lstm",
    "SequenceGenerator": "base",
}

__all__ = ["CausalLMGenerator", "LSTMGenerator", "SequenceGenerator"]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
