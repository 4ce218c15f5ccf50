"""Text to token ids and back: words, characters, plain ids, and any fast tokenizer of transformers.

A vocabulary depends on the data alone, and a tokenizer travels inside the checkpoint of its network (`TokenizerBuffer`).
"""

from ganzoo.tokenizers.base import Tokenizer
from ganzoo.tokenizers.buffer import TokenizerBuffer
from ganzoo.tokenizers.building import build_tokenizer
from ganzoo.tokenizers.characters import CharTokenizer
from ganzoo.tokenizers.coding import decode_tokenizer, encode_tokenizer, tokenizer_of
from ganzoo.tokenizers.hugging_face import HuggingFaceTokenizer
from ganzoo.tokenizers.ids import IdTokenizer
from ganzoo.tokenizers.words import WordTokenizer, join_words, split_words

__all__ = [
    "CharTokenizer",
    "HuggingFaceTokenizer",
    "IdTokenizer",
    "Tokenizer",
    "TokenizerBuffer",
    "WordTokenizer",
    "build_tokenizer",
    "decode_tokenizer",
    "encode_tokenizer",
    "join_words",
    "split_words",
    "tokenizer_of",
]
