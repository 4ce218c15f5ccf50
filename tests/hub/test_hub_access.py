"""Who may read what, and names that do not exist."""

from tests.hub.hubworld import CONFIG, TOKEN, WEIGHTS, World, pinned

OTHER = "hf_zyxwvutsrqponmlkjihgfedcba543210"


def test_a_gated_repository_says_where_to_accept_its_conditions(world: World) -> None:
    world.repository.gated = True
    world.hub.token(TOKEN, "someone/gan")
    world.hub.token(OTHER)
    anonymous = world.client()("fetch", **world.model())
    assert anonymous["error"] == "GatedRepositoryError"
    for part in (f"{world.hub.url}/someone/gan", "hf auth login", "HF_TOKEN"):
        assert part in anonymous["message"]
    stranger = world.client(HF_TOKEN=OTHER)("fetch", **world.model())
    assert stranger["error"] == "GatedRepositoryError"
    assert "the token in use" in stranger["message"]
    granted = world.client(HF_TOKEN=TOKEN)("fetch", **world.model())
    assert granted["sha256"] == pinned(WEIGHTS)["sha256"]


def test_a_private_repository_may_not_exist(http: World) -> None:
    http.repository.private = True
    http.hub.token(OTHER)
    anonymous = http.client()("fetch", **http.model())
    assert anonymous["error"] == "RepositoryNotFoundError"
    assert "If it is private, log in with `hf auth login` or set HF_TOKEN" in anonymous["message"]
    stranger = http.client(HF_TOKEN=OTHER)
    for step in (("fetch", http.model()), ("resolve", {"repository": "someone/gan"})):
        failed = stranger(step[0], **step[1])
        assert failed["error"] == "RepositoryNotFoundError"
        assert "the token in use needs access" in failed["message"]


def test_a_wrong_token_is_an_authentication_error(http: World) -> None:
    client = http.client(HF_TOKEN=TOKEN)
    for step in (("fetch", http.model()), ("resolve", {"repository": "someone/gan"})):
        failed = client(step[0], **step[1])
        assert failed["error"] == "AuthenticationError", failed
        assert "Check HF_TOKEN" in failed["message"]


def test_a_token_that_cannot_be_sent_is_not_shown(http: World) -> None:
    for token in ("secret\x01token", "sëcret-tökén"):
        failed = http.client(HF_TOKEN=token)("fetch", **http.model())
        assert failed["error"] == "AuthenticationError", failed
        assert "secret" not in failed["traceback"].lower()
        assert "tök" not in failed["traceback"]


def test_no_message_shows_the_token(http: World) -> None:
    """`Client.finish` looks for it in messages, warnings and tracebacks."""
    http.hub.token(TOKEN)
    client = http.client(HF_TOKEN=TOKEN, HF_ENDPOINT=http.hub.url.replace("//", f"//user:{TOKEN}@"))
    for kind, status in (("resolve", 403), ("resolve", 404), ("cdn", 403), ("cdn", 500)):
        http.hub.heal()
        http.hub.fault("status", kind=kind, status=status, headers={"X-Error-Message": f"bad token {TOKEN}"})
        assert "error" in client("fetch", **http.model())
    http.hub.heal()
    http.hub.fault("reset")
    assert client("fetch", **http.model())["error"] == "UnreachableError"


def test_names_that_do_not_exist(http: World) -> None:
    client = http.client()
    cases = [
        ({"repository": "someone/nothing", "filename": "config.json"}, "RepositoryNotFoundError", "someone/nothing"),
        ({"repository": "someone/gan", "filename": "x.json"}, "RemoteFileNotFoundError", "no file 'x.json'"),
        ({"repository": "someone/gan", "filename": "config.json", "revision": "v9"}, "RevisionNotFoundError", "'v9'"),
        ({"repository": "someone/gan", "filename": "config.json", "revision": "0" * 40}, "RevisionNotFoundError", "0" * 40),
        ({"repository": "a/b/c", "filename": "config.json"}, "RepositoryNotFoundError", "organisation/name"),
        ({"repository": "someone/gan", "filename": "../x"}, "InvalidValueError", "../x"),
        ({"repository": "someone/gan", "filename": "config.json", "revision": "../../x"}, "InvalidValueError", "../../x"),
    ]
    for step, error, words in cases:
        failed = client("fetch_file", **step)
        assert failed.get("error") == error, (step, failed)
        assert words in failed["message"], failed["message"]


def test_a_disabled_repository(http: World) -> None:
    http.repository.disabled = True
    failed = http.client()("fetch", **http.model())
    assert failed["error"] == "RepositoryNotFoundError"
    assert "disabled" in failed["message"]


def test_an_endpoint_that_is_no_hub(http: World) -> None:
    for endpoint, words in (("nonsense", "HF_ENDPOINT"), (f"{http.hub.url}/files", "HF_ENDPOINT")):
        failed = http.client(HF_ENDPOINT=endpoint)("resolve", repository="someone/gan")
        assert failed["error"] in ("UnreachableError", "RemoteFileNotFoundError"), failed
        assert words in failed["message"], failed["message"]


def test_branches_and_tags_are_resolved_once(http: World) -> None:
    http.repository.tag("v1.0", http.commit)
    http.repository.tag("refs/pr/1", http.commit)
    client = http.client()
    for revision in (None, "main", "v1.0", "refs/pr/1"):
        assert client("resolve", repository="someone/gan", revision=revision)["value"] == http.commit
    http.hub.forget()
    assert client("resolve", repository="someone/gan", revision=http.commit)["value"] == http.commit
    assert http.hub.requests == []
    found = client("fetch_file", repository="someone/gan", filename="config.json", revision="v1.0")
    assert (found["revision"], found["sha256"]) == (http.commit, pinned(CONFIG)["sha256"])
