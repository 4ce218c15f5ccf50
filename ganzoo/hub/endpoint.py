"""Where the Hub is, and whether it answers."""

import threading

TIMEOUT = 5.0  # seconds; `ganzoo doctor` must not hang where a firewall swallows packets


def endpoint() -> str:
    """The Hub's address: ``HF_ENDPOINT``, else https://huggingface.co."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def reach() -> str | None:
    """None if the Hub answers, else why not, in one line; within `TIMEOUT` whatever happens."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "offline mode is on (HF_HUB_OFFLINE)"
    answers: list[str | None] = []
    # The library limits each step alone, and looking up a name not at all.
    thread = threading.Thread(target=lambda: answers.append(_ask(endpoint())), daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    return answers[0] if answers else f"no answer within {TIMEOUT:g} seconds"


def _ask(url: str) -> str | None:
    from ganzoo.hub.http import library

    httpx = library()
    try:
        answer = httpx.head(url, timeout=TIMEOUT, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as e:
        return f"{type(e).__name__}: {e}".splitlines()[0]
    return None if answer.status_code < 500 else f"it answers {answer.status_code}"
