"""Which special tokens of a tokenizer of transformers pad, start and end a sentence: from its settings, else by usual names."""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from typing import Any

# In the order of preference. A language model has bos and eos; an encoder of BERT's kind has cls and sep instead.
SETTINGS = {
    "pad": ("pad_token",),
    "start": ("bos_token", "cls_token", "eos_token"),
    "end": ("eos_token", "sep_token", "bos_token"),
    "unknown": ("unk_token",),
}
_USUAL = {
    "pad": ("[PAD]", "<pad>", "<|pad|>"),
    "start": ("<s>", "<bos>", "[CLS]", "<|startoftext|>", "<|endoftext|>"),
    "end": ("</s>", "<eos>", "[SEP]", "<|endoftext|>"),
    "unknown": ("[UNK]", "<unk>"),
}


@dataclass(frozen=True)
class Roles:
    """The tokens that have a role; None where no token has it."""

    pad: str | None = None
    start: str | None = None
    end: str | None = None
    unknown: str | None = None

    def items(self) -> list[tuple[str, str]]:
        """Roles that a token has, with the token."""
        return [(role, token) for role, token in asdict(self).items() if token is not None]

    @classmethod
    def of(cls, settings: Mapping[str, Any], vocabulary: Container[str]) -> "Roles":
        """From what ``tokenizer_config.json`` says, else from usual names that are in ``vocabulary``.

        Args:
            settings: Values by the keys of `SETTINGS`: text, or a mapping with the text under ``content``.
            vocabulary: All tokens.
        """
        said = {key: _text(value) for key, value in settings.items()}
        found: dict[str, str | None] = {}
        for role, keys in SETTINGS.items():
            names = [said.get(key) for key in keys] + list(_USUAL[role])
            found[role] = next((name for name in names if name is not None and name in vocabulary), None)
        return cls(**found)


def _text(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) and value else None
