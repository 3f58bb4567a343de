"""Packages arrive in parts, broken off and resumed, and are kept whole or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import tiny_act_package, tiny_smolvla_package
from vla_demo.board import packages
from vla_demo.board.packages import NotThere, OfferedFile, PackageShelf, package_id, packed
from vla_demo.core.errors import PackageError

PART = 1000


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    return tiny_act_package(tmp_path / "sent").folder


@pytest.fixture
def shelf(tmp_path: Path) -> PackageShelf:
    return PackageShelf(tmp_path / "board")


def push(shelf: PackageShelf, folder: Path, most_parts: int = 10_000) -> str:
    """Send what the board does not have, at most `most_parts`."""
    files = packed(folder)
    name, have, complete = shelf.offer(files)
    for place, (file, there) in enumerate(zip(files, have, strict=True)):
        content = (folder / file.name).read_bytes()
        while not complete and there < file.size and most_parts > 0:
            there, most_parts = shelf.put(name, place, there, content[there : there + PART]), most_parts - 1
    return name


def test_what_was_sent_is_kept_and_can_be_opened(shelf: PackageShelf, sent: Path) -> None:
    name = push(shelf, sent)
    assert shelf.kept() == []
    package = shelf.keep(name)
    assert shelf.open(name).spec == package.spec and [kept for kept, _ in shelf.kept()] == [name]
    assert packed(shelf.folder / name) == packed(sent) and not list((shelf.folder / ".arriving").iterdir())


def test_a_broken_upload_goes_on_where_it_broke_off_also_after_a_restart(shelf: PackageShelf, sent: Path) -> None:
    name = push(shelf, sent, most_parts=5)
    again = PackageShelf(shelf.folder)
    _, have, complete = again.offer(packed(sent))
    assert sum(have) == 5 * PART and not complete
    push(again, sent)
    again.keep(name)
    assert again.offer(packed(sent))[2]


def test_a_part_that_comes_twice_or_too_early_changes_nothing(shelf: PackageShelf, sent: Path) -> None:
    files = packed(sent)
    name, _, _ = shelf.offer(files)
    assert shelf.put(name, 0, 0, b"x" * 100) == 100
    assert shelf.put(name, 0, 0, b"x" * 100) == 100
    assert shelf.put(name, 0, 500, b"x" * 100) == 100
    assert shelf.put(name, 0, 100, b"x" * files[0].size) == 100
    with pytest.raises(NotThere, match="none at place 99"):
        shelf.put(name, 99, 0, b"x")
    with pytest.raises(NotThere, match="was not offered"):
        shelf.put("0" * 64, 0, 0, b"x")


def test_a_file_that_was_changed_on_its_way_is_not_kept_and_is_sent_again(shelf: PackageShelf, sent: Path) -> None:
    name = push(shelf, sent)
    part = shelf.folder / ".arriving" / name / packed(sent)[0].name
    spoiled = bytearray(part.read_bytes())
    spoiled[7] ^= 1
    part.write_bytes(spoiled)
    with pytest.raises(PackageError, match="did not arrive as it was sent"):
        shelf.keep(name)
    assert shelf.kept() == []
    push(shelf, sent)
    shelf.keep(name)


def test_what_has_not_arrived_whole_is_not_kept(shelf: PackageShelf, sent: Path) -> None:
    name = push(shelf, sent, most_parts=3)
    with pytest.raises(PackageError, match="has not arrived whole"):
        shelf.keep(name)


def test_files_that_are_no_package_are_not_kept(shelf: PackageShelf, sent: Path) -> None:
    (sent / "manifest.json").write_text("{}")
    with pytest.raises(PackageError, match="version"):
        shelf.keep(push(shelf, sent))
    assert shelf.kept() == []


def test_a_disk_that_is_full_before_is_said_and_loses_nothing(shelf: PackageShelf, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(shelf, sent, most_parts=3)
    with monkeypatch.context() as full:
        full.setattr(shelf, "free_bytes", lambda: 1000)
        with pytest.raises(NotThere, match="bytes more and the board has 1000 free"):
            shelf.offer(packed(sent))
    shelf.keep(push(shelf, sent))


def test_a_part_that_the_disk_took_only_half_is_taken_back(shelf: PackageShelf, sent: Path) -> None:
    """A file size limit of the process stands in for a full disk: the system writes what fits, then refuses."""
    import resource
    import signal

    name = push(shelf, sent, most_parts=3)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * PART + 300, limits[1]))
    try:
        with pytest.raises(NotThere, match="File too large; what has arrived is kept"):
            push(shelf, sent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sum(shelf.offer(packed(sent))[1]) == 3 * PART
    push(shelf, sent)
    shelf.keep(name)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../outside"},
        {"name": "/etc/passwd"},
        {"name": "a//b"},
        {"name": ".hidden"},
        {"name": "a\0b"},
        {"name": ""},
        {"name": "graphs/../../x"},
        {"size": -1},
        {"size": packages.MOST_BYTES + 1},
        {"sha256": "../../x"},
    ],
)
def test_an_offer_that_would_leave_the_folder_or_fill_the_disk_is_refused(
    shelf: PackageShelf, sent: Path, change: dict[str, object]
) -> None:
    files = packed(sent)
    with pytest.raises(PackageError, match=r"is no name|a size or hash"):
        shelf.offer([*files, replace(files[0], **({"name": "more"} | change))])  # type: ignore[arg-type]


def test_an_offer_of_too_many_files_or_without_a_manifest_is_refused(shelf: PackageShelf) -> None:
    files = [OfferedFile(f"f{i}", 1, "0" * 64) for i in range(packages.MOST_FILES + 1)]
    with pytest.raises(PackageError, match="1 to 200 files"):
        shelf.offer(files)
    with pytest.raises(PackageError, match=r"has a manifest\.json"):
        shelf.offer(files[:3])


def test_of_many_that_were_begun_only_a_few_stay(shelf: PackageShelf, sent: Path) -> None:
    for number in range(8):
        (sent / "note").write_text(str(number))
        push(shelf, sent, most_parts=2)
    assert len(list((shelf.folder / ".arriving").iterdir())) <= packages.MOST_UNFINISHED


def test_the_id_is_of_the_content_whatever_the_order(tmp_path: Path, sent: Path) -> None:
    files = packed(sent)
    other = packed(tiny_smolvla_package(tmp_path / "other").folder)
    assert package_id(files) == package_id(files[::-1]) != package_id(other)


@pytest.mark.parametrize("name", ["", ".", "..", "../sent", ".arriving", "nothing"])
def test_only_a_package_on_the_shelf_is_opened_or_removed(shelf: PackageShelf, sent: Path, name: str) -> None:
    for use in (shelf.open, shelf.remove):
        with pytest.raises(NotThere, match="no package"):
            use(name)
    assert sent.is_dir() and (shelf.folder / ".arriving").is_dir()


def test_what_was_removed_is_gone_and_can_be_sent_again(shelf: PackageShelf, sent: Path) -> None:
    name = push(shelf, sent)
    shelf.keep(name)
    shelf.remove(name)
    assert shelf.kept() == [] and not (shelf.folder / name).exists()
    assert push(shelf, sent) == name and shelf.keep(name).spec.checkpoint


def test_a_damaged_package_can_be_removed_too(shelf: PackageShelf, sent: Path) -> None:
    name = push(shelf, sent)
    shelf.keep(name)
    (shelf.folder / name / "manifest.json").write_text("{")
    shelf.remove(name)
    assert not (shelf.folder / name).exists()
