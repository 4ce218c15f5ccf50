import errno
import os
import stat
import struct
import threading
import zipfile
from pathlib import Path

import pytest

from ganzoo.data.files import FolderFiles, ZipFiles
from ganzoo.errors import DataError


def archive(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return path


def test_a_folder_and_a_zip_file_of_it_have_the_same_names_and_bytes(tmp_path: Path) -> None:
    entries = {"b.png": b"2", "a/z.PNG": b"1", "a/notes.txt": b"3", "a-b.gif": b"4", "a/.hidden.png": b"5"}
    for name, content in entries.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    packed = archive(tmp_path / "data.zip", {**entries, "__MACOSX/._b.png": b"6", "empty/": b""})
    for files in (FolderFiles(tmp_path / "data"), ZipFiles(packed)):
        assert files.name == "data"
        assert files.names == ("a/notes.txt", "a/z.PNG", "a-b.gif", "b.png")
        assert files.pictures() == ("a/z.PNG", "a-b.gif", "b.png")
        assert [files.read(name) for name in files.pictures()] == [b"1", b"4", b"2"]
        assert files.locate("b.png") == files.path / "b.png"


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "a\\..\\out.png", "C:/out.png"])
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        ZipFiles(archive(tmp_path / "x.zip", {"fine.png": b"", name: b""}))


def test_links_in_an_archive_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="'link.png' in .* is a link"):
        ZipFiles(tmp_path / "x.zip")


def test_bombs_are_refused_by_what_they_claim(tmp_path: Path) -> None:
    zeros = bytes(2**20)
    bomb = archive(tmp_path / "x.zip", {f"{i}.png": zeros for i in range(300)})
    with pytest.raises(DataError, match="would unpack to 314572800: it is made to fill the memory"):
        ZipFiles(bomb)
    content = bytearray(archive(tmp_path / "y.zip", {"one.png": b"x"}, zipfile.ZIP_STORED).read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, central + 24, 2**31)  # the uncompressed size
    (tmp_path / "y.zip").write_bytes(content)
    with pytest.raises(DataError, match="'one.png' in .* would unpack to 2147483648 bytes"):
        ZipFiles(tmp_path / "y.zip")


def test_a_file_that_unpacks_to_more_than_it_claims_is_cut_off_and_broken(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "x.zip", {"one.png": bytes(5000)}).read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 10)
    (tmp_path / "x.zip").write_bytes(content)
    files = ZipFiles(tmp_path / "x.zip")
    with pytest.raises(OSError, match="damaged in the archive"):
        files.read("one.png")


def test_an_encrypted_file_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "x.zip", {"one.png": b"x"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(DataError, match="is encrypted"):
        ZipFiles(tmp_path / "x.zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "y.zip", "w") as made:
        made.writestr("one.png", b"1")
        made.writestr("one.png", b"2")
    with pytest.raises(DataError, match="two files of one name"):
        ZipFiles(tmp_path / "y.zip")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_file_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.zip is no zip archive, or a damaged one"):
        ZipFiles(tmp_path / "x.zip")


def test_damage_inside_an_archive_is_that_of_one_file(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", {"a.png": b"aaaa", "b.png": b"bbbb"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"aaaa", b"axaa"))
    files = ZipFiles(path)
    assert files.read("b.png") == b"bbbb"
    with pytest.raises(OSError, match="CRC"):
        files.read("a.png")


def test_an_archive_can_be_read_by_several_threads(tmp_path: Path) -> None:
    entries = {f"{i}.png": bytes([i]) * 50_000 for i in range(40)}
    files = ZipFiles(archive(tmp_path / "x.zip", entries))
    wrong: list[str] = []

    def read_all() -> None:
        wrong.extend(name for name in files.names for _ in range(3) if files.read(name) != entries[name])

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("kind", [FolderFiles, ZipFiles])
def test_the_fingerprint_changes_with_the_files(tmp_path: Path, kind: type[FolderFiles | ZipFiles]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"1")
    path = folder if kind is FolderFiles else archive(tmp_path / "data.zip", {"a.png": b"1"})
    before = kind(path).fingerprint()
    assert before is not None and kind(path).fingerprint() == before
    (folder / "a.png").write_bytes(b"22")
    archive(tmp_path / "data.zip", {"a.png": b"22"})
    assert kind(path).fingerprint() != before
    path.rename(tmp_path / f"moved{path.suffix}")
    assert kind(tmp_path / f"moved{path.suffix}").fingerprint() != before


@pytest.mark.parametrize("name", ["./a.png", ".//a.png", "a.png"])
def test_names_in_an_archive_are_made_plain(tmp_path: Path, name: str) -> None:
    files = ZipFiles(archive(tmp_path / "x.zip", {name: b"1", "./sub/.hidden.png": b"2"}))
    assert files.names == ("a.png",) and files.read("a.png") == b"1"
    with pytest.raises(DataError, match="two files of one name"):
        ZipFiles(archive(tmp_path / "y.zip", {"a.png": b"1", "./a.png": b"2"}))


def test_methods_of_compression_that_ask_for_memory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'a\.png' in .* is compressed in a way that is not read \(method 14\)"):
        ZipFiles(archive(tmp_path / "x.zip", {"a.png": b"1" * 100}, zipfile.ZIP_LZMA))
    assert ZipFiles(archive(tmp_path / "y.zip", {"a.png": b"1" * 100}, zipfile.ZIP_BZIP2)).read("a.png") == b"1" * 100


def test_links_to_folders_are_followed_and_not_for_ever(tmp_path: Path) -> None:
    for folder in ("data/sub", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.png").write_bytes(b"1")
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "sub" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "self").symlink_to(".")
    (tmp_path / "data" / "dead").symlink_to("nowhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "data" / "sub")
    files = FolderFiles(tmp_path / "data")
    assert files.names == ("cat/back/x.png", "cat/x.png", "sub/x.png")
    assert files.read("cat/x.png") == b"1" and files.fingerprint() is not None


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data" / "locked").mkdir(parents=True)
    (tmp_path / "data" / "a.png").write_bytes(b"1")
    original = os.scandir

    def locked(path: str) -> object:  # root, whom tests may run as, may read everything
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(DataError, match="locked cannot be read: Permission denied"):
        FolderFiles(tmp_path / "data")
