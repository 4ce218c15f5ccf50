"""Discriminators of text. Importing this imports no torch; each name is resolved on first use."""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.text.discriminators.base import TextDiscriminator as TextDiscriminator
    from ganzoo.text.discriminators.cnn import CNNDiscriminator as CNNDiscriminator
    from ganzoo.text.discriminators.cnn import Highway as Highway
    from ganzoo.text.discriminators.transformer import TransformerDiscriminator as TransformerDiscriminator

_PUBLIC = {
    "CNNDiscriminator": "cnn",
    "Highway": "cnn",
    "TextDiscriminator": "base",
    "TransformerDiscriminator": "transformer",
}

__all__ = ["CNNDiscriminator", "Highway", "TextDiscriminator", "TransformerDiscriminator"]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
