"""Pretrained encoders of transformers: sentences to vectors, and embeddings of words. Needs the extra ``text``.

Importing this imports neither torch nor transformers; each name is resolved on first use.
"""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.text.encoders.encoder import SentenceEncoder as SentenceEncoder
    from ganzoo.text.encoders.encoder import default_encoder as default_encoder
    from ganzoo.text.encoders.encoder import load_encoder as load_encoder
    from ganzoo.text.encoders.files import EncoderFiles as EncoderFiles
    from ganzoo.text.encoders.files import find_encoder as find_encoder

_PUBLIC = {
    "EncoderFiles": "files",
    "SentenceEncoder": "encoder",
    "default_encoder": "encoder",
    "find_encoder": "files",
    "load_encoder": "encoder",
}

__all__ = ["EncoderFiles", "SentenceEncoder", "default_encoder", "find_encoder", "load_encoder"]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
