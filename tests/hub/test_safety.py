"""Addresses and secrets."""

import pytest

from ganzoo import errors
from ganzoo.hub.redact import reason, redact, scrub
from ganzoo.hub.safety import check_revision, check_url


@pytest.mark.parametrize("url", ["https://example.com/a", "http://localhost:80/a", "http://127.0.0.1/a", "http://[::1]:8/a"])
def test_addresses_that_are_used(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://example.com", "file:///etc/passwd", "https://", "http://127.0.0.1.evil.com"]
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(errors.UnreachableError, match="https"):
        check_url(url)


def test_a_redirect_never_leaves_https() -> None:
    with pytest.raises(errors.UnreachableError, match="redirects from https to http://127.0.0.1, which is refused"):
        check_url("http://127.0.0.1/a", previous="https://example.com/a")
    assert check_url("https://b.com/a", previous="https://a.com/a") == "https://b.com/a"


@pytest.mark.parametrize("revision", ["", "..", "a..b", "/a", "a b", "a\n", "-a", "a\\b"])
def test_revisions_that_git_cannot_have(revision: str) -> None:
    with pytest.raises(errors.InvalidValueError, match="no branch, tag or commit"):
        check_revision(revision)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token hf_abcdefghij failed", "token *** failed"),
        ("b'Bearer abc.def-ghi'", "b'Bearer ***'"),
        ("at https://user:word@hub.org/a", "at https://hub.org/a"),
        ("url 'https://cdn.org/a?Signature=s&x=1'", "url 'https://cdn.org/a'"),
        ("my-odd-token!", "***"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_secrets_are_blanked(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "my-odd-token!")
    assert redact(text) == shown


def test_causes_are_blanked_too() -> None:
    inner, outer = ValueError("Bearer hf_secretsecret", 3), RuntimeError("hf_secretsecret")
    outer.__cause__ = inner
    scrub(outer)
    assert (outer.args, inner.args) == (("***",), ("Bearer ***", 3))


def test_a_reason_is_one_short_line() -> None:
    assert reason(ValueError("\n\nfirst line.\nsecond")) == "first line"
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 1000))) < 300
