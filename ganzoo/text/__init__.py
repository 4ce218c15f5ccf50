"""The text half: generators, sampling, rollouts and fused losses, and what stands on them.

Importing this package imports no torch; each name is resolved on first use.
"""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.text.discriminators.base import TextDiscriminator as TextDiscriminator
    from ganzoo.text.discriminators.cnn import CNNDiscriminator as CNNDiscriminator
    from ganzoo.text.discriminators.transformer import TransformerDiscriminator as TransformerDiscriminator
    from ganzoo.text.encoders.encoder import SentenceEncoder as SentenceEncoder
    from ganzoo.text.encoders.encoder import default_encoder as default_encoder
    from ganzoo.text.encoders.encoder import load_encoder as load_encoder
    from ganzoo.text.features import EncoderFeatures as EncoderFeatures
    from ganzoo.text.fused import linear_cross_entropy as linear_cross_entropy
    from ganzoo.text.generators.base import SequenceGenerator as SequenceGenerator
    from ganzoo.text.generators.causal import CausalLMGenerator as CausalLMGenerator
    from ganzoo.text.generators.lstm import LSTMGenerator as LSTMGenerator
    from ganzoo.text.rollout import complete as complete
    from ganzoo.text.rollout import rollout_rewards as rollout_rewards
    from ganzoo.text.sampling import Restriction as Restriction
    from ganzoo.text.sampling import draw as draw
    from ganzoo.text.sampling import restrict as restrict
    from ganzoo.text.sequences import State as State
    from ganzoo.text.sequences import token_mask as token_mask

_PUBLIC = {
    "CNNDiscriminator": "discriminators.cnn",
    "CausalLMGenerator": "generators.causal",
    "EncoderFeatures": "features",
    "LSTMGenerator": "generators.lstm",
    "Restriction": "sampling",
    "SentenceEncoder": "encoders.encoder",
    "SequenceGenerator": "generators.base",
    "State": "sequences",
    "TextDiscriminator": "discriminators.base",
    "TransformerDiscriminator": "discriminators.transformer",
    "complete": "rollout",
    "default_encoder": "encoders.encoder",
    "draw": "sampling",
    "linear_cross_entropy": "fused",
    "load_encoder": "encoders.encoder",
    "restrict": "sampling",
    "rollout_rewards": "rollout",
    "token_mask": "sequences",
}

__all__ = [
    "CNNDiscriminator",
    "CausalLMGenerator",
    "EncoderFeatures",
    "LSTMGenerator",
    "Restriction",
    "SentenceEncoder",
    "SequenceGenerator",
    "State",
    "TextDiscriminator",
    "TransformerDiscriminator",
    "complete",
    "default_encoder",
    "draw",
    "linear_cross_entropy",
    "load_encoder",
    "restrict",
    "rollout_rewards",
    "token_mask",
]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
