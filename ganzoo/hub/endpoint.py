"""Where the Hub is, and whether it answers."""

TIMEOUT = 5.0  # seconds; `ganzoo doctor` must not hang where a firewall swallows packets


def endpoint() -> str:
    """The Hub's address: ``HF_ENDPOINT``, else https://huggingface.co."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def reach() -> str | None:
    """None if the Hub answers, else why not, in one line."""
    from huggingface_hub import constants

    from ganzoo.hub.http import library

    if constants.HF_HUB_OFFLINE:
        return "offline mode is on (HF_HUB_OFFLINE)"
    httpx = library()
    try:
        answer = httpx.head(endpoint(), timeout=TIMEOUT, follow_redirects=True)
    except httpx.HTTPError as e:
        return f"{type(e).__name__}: {e}".splitlines()[0]
    return None if answer.status_code < 500 else f"it answers {answer.status_code}"
