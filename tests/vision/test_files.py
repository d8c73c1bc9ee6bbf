"""Nothing half-written stays."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.problems import InputError
from vision.files import atomic_folder, sha256_of

ROOT = Path(__file__).parents[2]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_and_with_usual_permissions(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "s1-report"
    with atomic_folder(target) as aside:
        (aside / "summary.json").write_text("{}")
        assert not target.exists()
        assert aside.parent == target.parent
    assert names(target) == ["summary.json"]
    assert names(target.parent) == ["s1-report"]
    (tmp_path / "plain").mkdir()
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("trouble", [ValueError, KeyboardInterrupt, SystemExit])
def test_where_writing_fails_nothing_stays(tmp_path: Path, trouble: type[BaseException]) -> None:
    def fail(target: Path) -> None:
        with atomic_folder(target) as aside:
            (aside / "summary.json").write_text("half")
            raise trouble

    with pytest.raises(trouble):
        fail(tmp_path / "report")
    assert names(tmp_path) == []


def test_an_older_report_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "report"
    target.mkdir()
    (target / "summary.json").write_text("old")
    (target / "annotated.mp4").write_text("old")
    with atomic_folder(target) as aside:
        (aside / "summary.json").write_text("new")
        assert (target / "summary.json").read_text() == "old"
    assert names(target) == ["summary.json"]
    assert (target / "summary.json").read_text() == "new"
    assert names(tmp_path) == ["report"]


def test_an_older_report_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    target = tmp_path / "report"
    target.mkdir()
    (target / "summary.json").write_text("old")

    def fail() -> None:
        with atomic_folder(target) as aside:
            (aside / "summary.json").write_text("new")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it is the one raised above
        fail()
    assert (target / "summary.json").read_text() == "old"
    assert names(tmp_path) == ["report"]


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, calf: Path) -> None:
    (tmp_path / "photo.jpg").write_text("dear")
    for target in (tmp_path, calf):
        with pytest.raises(InputError, match="is no older report"), atomic_folder(target):
            pass
    assert (tmp_path / "photo.jpg").read_text() == "dear"
    with pytest.raises(InputError, match="is a file"), atomic_folder(tmp_path / "photo.jpg"):
        pass
    below = tmp_path / "photo.jpg" / "report"
    with pytest.raises(InputError, match="a file stands where a folder is needed"), atomic_folder(below):
        pass


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not permitted"), (errno.EROFS, "read-only")],
)
def test_a_full_or_closed_disk_is_told_in_a_sentence(tmp_path: Path, number: int, told: str) -> None:
    def fail() -> None:
        with atomic_folder(tmp_path / "report") as aside:
            (aside / "summary.json").write_text("half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(InputError, match=told):
        fail()
    assert names(tmp_path) == []


def test_checksum_is_that_of_the_whole_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "model").write_bytes(data)
    assert sha256_of(tmp_path / "model") == hashlib.sha256(data).hexdigest()


def test_what_a_killed_program_left_aside_is_removed_by_the_next_one(tmp_path: Path) -> None:
    """A real process that is killed, and one that still runs: both work for the same place."""
    body = (
        "import pathlib, sys, time\n"
        "from vision.files import atomic_folder\n"
        "with atomic_folder(pathlib.Path(sys.argv[1])) as aside:\n"
        "    (aside / 'summary.json').write_text('half')\n"
        "    print(aside.name, flush=True)\n"
        "    time.sleep(60)\n"
    )
    target = tmp_path / "report"
    running: list[subprocess.Popen[str]] = []
    asides: list[str] = []
    try:
        for _ in range(2):
            command = [sys.executable, "-c", body, str(target)]
            one = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            running.append(one)
            assert one.stdout is not None
            asides.append(one.stdout.readline().strip())
        assert names(tmp_path) == sorted(asides), "neither takes away the other's"
        running[0].kill()
        running[0].wait(timeout=10)
        with atomic_folder(target) as aside:
            (aside / "summary.json").write_text("{}")
        assert names(tmp_path) == sorted([asides[1], "report"])
    finally:
        for one in running:
            one.kill()
            one.wait(timeout=10)
            if one.stdout is not None:
                one.stdout.close()


def test_what_lies_aside_of_an_unknown_program_is_removed_after_a_day_only(tmp_path: Path) -> None:
    old, new = tmp_path / ".report.abcd_123.part", tmp_path / ".report.0123abcd-7.abcd_456.part"
    other = tmp_path / ".report2.abcd_123.part"
    for folder in (old, new, other):
        folder.mkdir()
    for folder in (old, other):
        os.utime(folder, (0, 0))
    with atomic_folder(tmp_path / "report"):
        pass
    assert names(tmp_path) == sorted([new.name, other.name, "report"])
