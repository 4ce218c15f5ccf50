"""Every error of the Hub client becomes one of ganzoo's, with what to do next. No message holds a token."""

import errno
import json
import os
import re
from collections.abc import Callable
from typing import Any

from ganzoo.errors import (
    AuthenticationError,
    GatedRepositoryError,
    HubError,
    IntegrityError,
    OfflineError,
    RateLimitError,
    RemoteFileNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    UnreachableError,
)
from ganzoo.hub.http import library
from ganzoo.hub.redact import reason, scrub
from ganzoo.hub.storage import storage_error
from ganzoo.hub.subject import Subject

LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
TRY_AGAIN = "Check the network and try again; what is in the cache goes on working."
PLAIN_HTTP = "Try again, or set HF_HUB_DISABLE_XET=1 to download over plain HTTP."
CHECK_ENDPOINT = "A proxy or a log-in page may have answered in its place. Check the network, and HF_ENDPOINT if it is set."

_NETWORK = {
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENOTCONN,
    errno.EPIPE,
    errno.ETIMEDOUT,
}

_Maker = Callable[[Any, Subject], HubError]


def translate(error: Exception, subject: Subject) -> HubError:
    """The error of ganzoo that says what happened.

    Args:
        error: What a call of huggingface_hub raised; secrets in it and in its causes are blanked out.
        subject: What the call was about.
    """
    scrub(error)
    if isinstance(error, HubError):
        return error
    for kind, make in _table():
        if isinstance(error, kind):
            return make(error, subject)
    return _odd_answer(error, subject)


def _table() -> tuple[tuple[type[Exception], _Maker], ...]:
    """Which class is told how. A class stands before the classes that it derives from."""
    from huggingface_hub import errors as hf

    httpx = library()
    return (
        (hf.GatedRepoError, _gated),
        (hf.RepositoryNotFoundError, _no_repository),
        (hf.RevisionNotFoundError, _no_revision),
        (hf.RemoteEntryNotFoundError, _no_file),
        (hf.DisabledRepoError, _disabled),
        (hf.OfflineModeIsEnabled, _offline),
        (hf.LocalEntryNotFoundError, _not_located),
        (hf.HfHubHTTPError, _refused),
        (httpx.LocalProtocolError, _bad_token),
        (httpx.ProxyError, _proxy),
        (httpx.UnsupportedProtocol, _bad_endpoint),
        (httpx.InvalidURL, _bad_endpoint),
        (httpx.HTTPError, _broken_off),
        (hf.FileMetadataError, _odd_answer),
        (hf.LocalTokenNotFoundError, _bad_token),
        (OSError, _system),
        (RuntimeError, _xet),
        (hf.HFValidationError, _bad_name),
        (UnicodeError, _bad_token),
        (json.JSONDecodeError, _odd_answer),
        (ValueError, _value),
    )


def _gated(error: Exception, subject: Subject) -> HubError:
    if subject.token:
        hint = f"Visit {subject.page} and accept its conditions with the account of the token in use, then try again."
    else:
        hint = f"Visit {subject.page}, accept its conditions, then {LOG_IN}."
    return GatedRepositoryError(f"{subject.repository} is gated: its owner grants access to {subject.text}.", hint=hint)


def _no_repository(error: Exception, subject: Subject) -> HubError:
    if subject.token:
        hint = f"Check the name at {subject.page}. If it is private, the token in use needs access to it."
    else:
        hint = f"Check the name at {subject.page}. If it is private, {LOG_IN}."
    return RepositoryNotFoundError(
        f"There is no repository {subject.repository} on {subject.endpoint}, or it is private.", hint=hint
    )


def _no_revision(error: Exception, subject: Subject) -> HubError:
    text = f"{subject.repository} has no branch, tag or commit '{subject.revision or 'main'}'."
    return RevisionNotFoundError(text, hint=f"Its revisions are listed at {subject.page}/commits/main.")


def _no_file(error: Exception, subject: Subject) -> HubError:
    hint = f"Its files are listed at {subject.page}/tree/{subject.revision or 'main'}."
    return RemoteFileNotFoundError(f"{subject.place} has no file '{subject.filename}'.", hint=hint)


def _disabled(error: Exception, subject: Subject) -> HubError:
    text = f"{subject.repository} was disabled: {subject.endpoint} gives access to nobody."
    return RepositoryNotFoundError(text, hint="Only its owner and the Hub can change that. Look for another copy of the model.")


def _offline(error: Exception, subject: Subject) -> HubError:
    return OfflineError(
        f"Offline mode is on, and {subject.text} would have to be downloaded.",
        hint="Unset HF_HUB_OFFLINE (and TRANSFORMERS_OFFLINE) once to download it, or point HF_HOME to a cache that has it.",
    )


def _not_located(error: Exception, subject: Subject) -> HubError:
    cause = error.__cause__
    if isinstance(cause, Exception):
        return translate(cause, subject)
    return UnreachableError(f"{subject.text} could not be found on {subject.endpoint} ({reason(error)}).", hint=TRY_AGAIN)


def _refused(error: Any, subject: Subject) -> HubError:
    """An HTTP status that has no class of its own in the client."""
    status = int(error.response.status_code)
    url = error.response.url
    if status == 401:
        # A Hub tells strangers neither that a repository is missing nor that it is private. The client knows this of https
        # addresses only.
        hidden = not subject.token and re.search(r"/resolve/|/api/models/(?!.*/xet-)", url.path)
        return _no_repository(error, subject) if hidden else _bad_token(error, subject)
    if status == 403:
        hint = f"Check on {subject.endpoint}/settings/tokens that the token in use may read {subject.repository}."
        if not subject.token:
            hint = f"To get access, {LOG_IN}."
        return AuthenticationError(f"{url.host} refused access to {subject.text} (403).", hint=hint)
    if status == 429:
        return _too_many(error, subject)
    if status == 404 and "xet" not in url.path:
        text = f"{url.host} does not have {subject.text} (404)."
        return RemoteFileNotFoundError(text, hint=f"Check {subject.page}, and HF_ENDPOINT if it is set.")
    return UnreachableError(f"{url.host} answered with status {status} when asked for {subject.text}.", hint=TRY_AGAIN)


def _too_many(error: Any, subject: Subject) -> HubError:
    wait = str(error.response.headers.get("Retry-After", ""))
    hint = f"Wait {wait} seconds" if wait.isdecimal() else "Wait a few minutes"
    if not subject.token:
        hint += f", or {LOG_IN}: known users may ask more often"
    return RateLimitError(f"{subject.endpoint} asks to slow down (429); {subject.text} was not downloaded.", hint=f"{hint}.")


def _bad_token(error: Exception, subject: Subject) -> HubError:
    if not subject.token:
        return AuthenticationError(f"{subject.endpoint} wants to know who asks for {subject.text}.", hint=f"Please {LOG_IN}.")
    return AuthenticationError(
        f"{subject.endpoint} did not accept the token in use ({subject.text} was not downloaded).",
        hint="Check HF_TOKEN, or log in again with `hf auth login`. Public models need no token: unset it to go on without.",
    )


def _proxy(error: Exception, subject: Subject) -> HubError:
    hint = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
    return UnreachableError(f"The proxy did not let a request for {subject.text} through ({reason(error)}).", hint=hint)


def _bad_endpoint(error: Exception, subject: Subject) -> HubError:
    hint = "Set HF_ENDPOINT to an address such as https://huggingface.co, or unset it."
    return UnreachableError(f"'{subject.endpoint}' is not the address of a Hub ({reason(error)}).", hint=hint)


def _broken_off(error: Exception, subject: Subject) -> HubError:
    why = reason(error) if str(error).strip() else f"connection lost, {type(error).__name__}"
    hint = TRY_AGAIN
    if "CERTIFICATE" in why.upper():
        hint = "The server's certificate is not trusted. Behind a company proxy, set SSL_CERT_FILE to its certificates."
    return UnreachableError(f"{subject.text} could not be downloaded from {subject.endpoint}: {why}.", hint=hint)


def _odd_answer(error: Exception, subject: Subject) -> HubError:
    return UnreachableError(f"{subject.endpoint} did not answer like a Hub when asked for {subject.text}.", hint=CHECK_ENDPOINT)


def _system(error: OSError, subject: Subject) -> HubError:
    sizes = re.search(r"should be of size (\d+) but has size (\d+)", str(error))
    if sizes is not None:
        hint = (
            "The server sent less than it announced, twice. Try again later, and look at the repository if that does not help."
        )
        return IntegrityError(subject.text, f"{sizes[1]} bytes", f"{sizes[2]} bytes", hint=hint)
    if error.errno is None or isinstance(error, (ConnectionError, TimeoutError)):
        return _broken_off(error, subject)
    return storage_error(error, f"{subject.text} could not be put into the cache")


def _xet(error: Exception, subject: Subject) -> HubError:
    """The content-addressed storage reports everything as a RuntimeError; only its text tells what it was."""
    text = str(error).lower()
    what = f"The Hub's storage did not deliver {subject.text} ({reason(error)})."
    code = re.search(r"\(os error (\d+)\)", text)
    if code is not None and int(code[1]) not in _NETWORK:
        system = OSError(int(code[1]), os.strerror(int(code[1])))
        return storage_error(system, f"{subject.text} could not be put into the cache")
    if re.search(r"\b429\b|too many requests", text):
        return RateLimitError(what, hint="Wait a few minutes and try again.")
    if re.search(r"\b40[13]\b|unauthorized|forbidden", text):
        return AuthenticationError(what, hint=f"Check the token in use, or {LOG_IN}. {PLAIN_HTTP}")
    return UnreachableError(what, hint=PLAIN_HTTP)


def _bad_name(error: Exception, subject: Subject) -> HubError:
    hint = "A repository is named 'organisation/name', with letters, digits, '-', '_' and '.'."
    return RepositoryNotFoundError(f"'{subject.repository}' cannot be the name of a repository.", hint=hint)


def _value(error: Exception, subject: Subject) -> HubError:
    cause = error.__cause__
    return translate(cause, subject) if isinstance(cause, Exception) else _odd_answer(error, subject)
