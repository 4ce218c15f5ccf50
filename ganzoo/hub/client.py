"""The few calls of huggingface_hub that ganzoo makes, each with one patient retry, and with ganzoo's errors."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ganzoo.errors import HubError
from ganzoo.hub.digest import Expected
from ganzoo.hub.http import library
from ganzoo.hub.progress import tqdm_class
from ganzoo.hub.redact import has_token, redact
from ganzoo.hub.subject import Subject
from ganzoo.hub.translate import translate

T = TypeVar("T")

PAUSE_SECONDS = 1.0
_LONGEST_PAUSE = 10.0
_SHORT_BODY = "Consistency check failed"


def is_offline() -> bool:
    """Whether the user switched requests off (``HF_HUB_OFFLINE``)."""
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def about(repository: str, filename: str | None, revision: str | None) -> Subject:
    """The subject of a request, with the endpoint in force."""
    from huggingface_hub import constants

    return Subject(repository, filename, revision, redact(constants.ENDPOINT), token=has_token())


def check_repository(repository: str) -> str:
    """``repository`` itself, if a repository can have this name.

    Raises:
        RepositoryNotFoundError: it cannot.
    """

    def call() -> str:
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined, unused-ignore]

        validate_repo_id(repository)
        return repository

    return _patiently(call, repository, None, None)


def repository_folder(repository: str) -> Path:
    """Where the Hub's cache keeps a model repository."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")


def cached_file(repository: str, filename: str, commit: str) -> Path | None:
    """The file at a commit if it is in the cache; makes no request."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, filename, revision=commit)
    return Path(found) if isinstance(found, str) else None


def download_file(repository: str, filename: str, commit: str, *, force: bool, progress: bool | None) -> Path:
    """Download one file of a commit into the Hub's cache, or find it there.

    Raises:
        HubError: what went wrong and what to do.
    """

    def call() -> str:
        from huggingface_hub import hf_hub_download

        from ganzoo import __version__

        return str(
            hf_hub_download(
                repository,
                filename,
                revision=commit,
                force_download=force,
                library_name="ganzoo",
                library_version=__version__,
                tqdm_class=tqdm_class(progress),
            )
        )

    return Path(_patiently(call, repository, filename, commit))


def head_commit(repository: str, revision: str | None) -> str:
    """Ask the Hub for the commit of a branch or tag.

    Raises:
        HubError: what went wrong and what to do.
    """

    def call() -> str:
        from huggingface_hub import constants

        commit = _api().model_info(repository, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT).sha
        if not isinstance(commit, str) or len(commit) != 40:
            raise ValueError("the answer names no commit")
        return commit

    return _patiently(call, repository, None, revision)


def listed_sum(repository: str, filename: str, commit: str) -> Expected | None:
    """The sum that the Hub lists for a file of a commit, or None where it lists none.

    Raises:
        HubError: what went wrong and what to do.
    """

    def call() -> Expected | None:
        for entry in _api().get_paths_info(repository, [filename], revision=commit):
            lfs = getattr(entry, "lfs", None)
            if lfs is not None:
                return Expected(lfs.sha256, size=lfs.size)
            if getattr(entry, "path", None) == filename and hasattr(entry, "blob_id"):
                return Expected(entry.blob_id, "git", entry.size)
        return None

    return _patiently(call, repository, filename, commit)


def _api() -> Any:
    from huggingface_hub import HfApi

    from ganzoo import __version__

    return HfApi(library_name="ganzoo", library_version=__version__)


def _patiently(call: Callable[[], T], repository: str, filename: str | None, revision: str | None) -> T:
    """Call, once more after a pause if the connection was lost or the server stumbled, and translate what is left."""
    try:
        try:
            return call()
        except Exception as e:
            pause = _pause_after(e)
            if pause is None:
                raise
            time.sleep(pause)
            return call()
    except HubError:
        raise
    except Exception as e:
        raise translate(e, about(repository, filename, revision)) from e


def _pause_after(error: Exception) -> float | None:
    """Seconds to wait before the one retry, or None where the client has tried often enough or trying is useless."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    httpx = library()
    if isinstance(error, LocalEntryNotFoundError):
        return None
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        wait = error.response.headers.get("Retry-After", "")
        if status == 429:
            return min(float(wait), _LONGEST_PAUSE) if wait.isdecimal() else PAUSE_SECONDS
        return PAUSE_SECONDS if status >= 500 or status == 408 else None
    useless = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.ProxyError, httpx.TimeoutException)
    if isinstance(error, httpx.TransportError):
        return None if isinstance(error, useless) else PAUSE_SECONDS
    return PAUSE_SECONDS if isinstance(error, OSError) and _SHORT_BODY in str(error) else None
