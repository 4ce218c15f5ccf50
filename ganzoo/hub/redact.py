"""Nothing secret in a message: tokens, passwords in addresses and the signatures of signed addresses are taken out."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

_BLANK = "***"
_LONGEST = 240
_PATTERNS = (
    (re.compile(r"hf_\w{6,}"), _BLANK),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s'\",;]+"), rf"\1 {_BLANK}"),
    (re.compile(r"(https?://)[^/\s@]+@"), r"\1"),
    (re.compile(r"(https?://[^\s?'\")]+)\?[^\s'\")]*"), r"\1"),
)


def redact(text: str) -> str:
    """``text`` without tokens, passwords and query strings of addresses."""
    for secret in _secrets():
        text = text.replace(secret, _BLANK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def reason(error: BaseException) -> str:
    """The cause in one short line that may be shown: the first line that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = redact(lines[0]) if lines else type(error).__name__
    return text.rstrip(".") if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def scrub(error: BaseException) -> None:
    """Take secrets out of an exception and of what caused it, because a traceback prints all of them."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.args = tuple(redact(a) if isinstance(a, str) and redact(a) != a else a for a in current.args)
        pending += [current.__cause__, current.__context__]


def has_token() -> bool:
    """Whether the client has a token to send."""
    return next(_secrets(), None) is not None


def _secrets() -> Iterator[str]:
    """The tokens that the client may use, longest spelling first."""
    from huggingface_hub import constants

    found = [os.environ.get(name, "") for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_ID_TOKEN")]
    try:
        found.append(Path(constants.HF_TOKEN_PATH).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):  # no such file: nobody is logged in
        found.append("")
    for value in found:
        for spelling in (value, value.strip(), repr(value)[1:-1]):
            if len(spelling) >= 4:
                yield spelling
