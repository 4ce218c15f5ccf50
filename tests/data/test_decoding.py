import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo.data.decode import decode, strict_warnings
from ganzoo.data.decoding import decode_all, hash_all, in_order
from ganzoo.data.files import FolderFiles


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("ganzoo-decode")]


def slow_square(number: int) -> int:
    time.sleep(0.01 if number % 5 == 0 else 0)
    return number * number


@pytest.mark.parametrize("count", [1, 3, 8])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    assert list(in_order(slow_square, range(50), count)) == [n * n for n in range(50)]
    assert not threads()


def test_work_is_shared_and_little_is_in_flight() -> None:
    taken: list[int] = []

    def items() -> Iterator[float]:
        for number in range(1000):
            taken.append(number)
            yield 0.02

    results = in_order(time.sleep, items(), 4)
    with closing(results):
        start = time.perf_counter()
        for _ in range(40):
            next(results)
        assert time.perf_counter() - start < 0.6  # one thread alone needs 0.8
        assert len(taken) <= 40 + 4 * 4
    assert not threads()


def test_an_error_of_the_work_comes_out_and_ends_the_threads() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 // (n - 7), range(100), 3))
    assert not threads()


def test_pictures_are_hashed_and_decoded_in_one_pass(tmp_path: Path) -> None:
    for i in range(20):
        Image.fromarray(np.full((9, 9, 3), i * 12, np.uint8)).save(tmp_path / f"{i:02}.png")
    (tmp_path / "05.png").write_bytes(b"broken")
    files = FolderFiles(tmp_path)
    reads: list[str] = []
    original = files.read
    files.read = lambda name: reads.append(name) or original(name)  # type: ignore[method-assign,func-returns-value]
    with strict_warnings():
        found = list(decode_all(files, files.names, (3, 4, 4), 3))
    assert sorted(reads) == [one.name for one in found] == list(files.names)
    for i, one in enumerate(found):
        content = (tmp_path / one.name).read_bytes()
        assert one.sha256 == hashlib.sha256(content).hexdigest()
        if i == 5:
            assert one.pixels is None and one.problem.startswith("not a picture")
        else:
            assert one.pixels is not None and (one.pixels == i * 12).all() and one.pixels.shape == (3, 4, 4)
    assert list(hash_all(files, files.names)) == [(one.name, one.sha256) for one in found]


def test_a_shape_that_is_not_square_is_filled_from_the_centre(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8), np.uint8)
    pixels[2:6] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    wide = decode((tmp_path / "a.png").read_bytes(), (1, 4, 8))
    assert wide.shape == (1, 4, 8) and (wide == 200).all()
