"""Single answers of a server that cannot be arranged on a real one, over a transport in this process."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ganzoo import errors
from ganzoo.hub import http, transfer
from ganzoo.hub.part import Part

URL = "https://example.com/model.pkl"
DATA = bytes(range(256)) * 40_000  # about 10 MB
WANTED = transfer.Wanted(URL, len(DATA), hashlib.sha256(DATA).hexdigest())

Answer = Callable[[Any], Any]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], list[Any]]]:
    """Answer requests with a function; returns the list of requests to come."""
    library = http.library()
    clients: list[Any] = []
    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.0)

    def start(answer: Answer) -> list[Any]:
        requests: list[Any] = []

        def handle(request: Any) -> Any:
            requests.append(request)
            return answer(request)

        clients.append(library.Client(transport=library.MockTransport(handle)))
        monkeypatch.setattr(transfer, "session", lambda: clients[-1])
        return requests

    yield start
    for client in clients:
        client.close()


def run(path: Path) -> bytes:
    with Part(path / "model.pkl.part") as part:
        try:
            transfer.transfer(WANTED, part, lambda done: None)
        finally:
            part.flush()
    return (path / "model.pkl.part").read_bytes()


def unread() -> Iterator[bytes]:
    raise AssertionError("the body was read")
    yield b""


def breaking(data: bytes) -> Iterator[bytes]:
    """A body that breaks off."""
    yield data
    raise http.library().ReadError("connection reset")


def whole(data: bytes) -> Iterator[bytes]:
    """A body as it comes from a network: not there before it is read."""
    yield data


def start_of(request: Any) -> int:
    return int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def answer_from(request: Any, body: Any, *, etag: str = '"v1"', total: int = len(DATA)) -> Any:
    start = start_of(request)
    headers = {"ETag": etag}
    if not start:
        return http.library().Response(200, headers={**headers, "Content-Length": str(total)}, content=body)
    span = f"bytes {start}-{total - 1}/{total}"
    return http.library().Response(206, headers={**headers, "Content-Range": span}, content=body)


def test_a_rest_of_another_version_is_not_read(serve: Any, tmp_path: Path) -> None:
    with Part(tmp_path / "model.pkl.part") as part:
        part.restart(URL, '"old"')
        part.append(DATA[:1000])
    requests = serve(lambda r: answer_from(r, unread() if start_of(r) else whole(DATA), etag='"new"'))
    assert run(tmp_path) == DATA
    assert [start_of(request) for request in requests] == [1000, 0]
    assert requests[0].headers["If-Range"] == '"old"'


@pytest.mark.parametrize("span", ["bytes 999-10239999/10240000", "rubbish", ""])
def test_a_rest_that_does_not_fit_is_not_read(serve: Any, tmp_path: Path, span: str) -> None:
    (tmp_path / "model.pkl.part").write_bytes(DATA[:1000])
    response = http.library().Response
    serve(
        lambda r: (
            response(206, headers={"Content-Range": span}, content=unread())
            if start_of(r)
            else response(200, content=whole(DATA))
        )
    )
    assert run(tmp_path) == DATA


def test_a_rest_of_a_file_of_another_size_is_an_integrity_error(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "model.pkl.part").write_bytes(DATA[:1000])
    serve(lambda r: answer_from(r, unread(), total=2000))
    with pytest.raises(errors.IntegrityError, match="2,000 bytes where 10,240,000 were expected"):
        run(tmp_path)


def test_a_body_that_is_announced_with_another_size_is_not_read(serve: Any, tmp_path: Path) -> None:
    requests = serve(lambda r: answer_from(r, unread(), total=17))
    with pytest.raises(errors.IntegrityError, match="17 bytes where 10,240,000 were expected"):
        run(tmp_path)
    assert len(requests) == 1


def test_patience_lasts_as_long_as_bytes_arrive(serve: Any, tmp_path: Path) -> None:
    step = 1_200_000
    requests = serve(lambda r: answer_from(r, breaking(DATA[start_of(r) : start_of(r) + step])))
    assert run(tmp_path) == DATA
    assert len(requests) == 9


def test_patience_ends_when_the_server_always_breaks_off_at_the_same_place(serve: Any, tmp_path: Path) -> None:
    response = http.library().Response
    requests = serve(lambda r: response(200, content=breaking(DATA[:3_000_000])))
    with pytest.raises(errors.UnreachableError, match="goes on where it stopped"):
        run(tmp_path)
    assert len(requests) == 6
    assert (tmp_path / "model.pkl.part").read_bytes() == DATA[:3_000_000]


def test_a_compressed_answer_is_unpacked(serve: Any, tmp_path: Path) -> None:
    import gzip

    packed = gzip.compress(DATA)
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    serve(lambda r: http.library().Response(200, headers=headers, content=whole(packed)))
    assert run(tmp_path) == DATA


def test_plain_http_is_refused_before_anything_is_sent(serve: Any, tmp_path: Path) -> None:
    requests = serve(lambda r: answer_from(r, whole(DATA)))
    with Part(tmp_path / "x.part") as part, pytest.raises(errors.UnreachableError, match="https only"):
        transfer.transfer(transfer.Wanted("http://example.com/x", 1, "0" * 64), part, lambda done: None)
    assert requests == []
