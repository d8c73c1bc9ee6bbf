"""Replacing a file: the older one stays whole until the new one is, whatever stands in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from models.problems import InputError
from vision.put_files import one_writer, put_file, written_aside


def test_what_was_not_put_leaves_the_older_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text("older")
    with pytest.raises(KeyboardInterrupt), written_aside(path, "newer"):
        raise KeyboardInterrupt
    assert path.read_text() == "older"
    assert os.listdir(tmp_path) == ["rig.toml"]


def test_what_a_killed_writer_left_beside_is_gone_after_the_next(tmp_path: Path) -> None:
    killed = (
        "import os, sys, pathlib; from vision.put_files import written_aside\n"
        "with written_aside(pathlib.Path(sys.argv[1]), 'half'): os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "rig.toml"
    path.write_text("older")
    ended = subprocess.run([sys.executable, "-c", killed, str(path)], timeout=60, check=False)
    assert ended.returncode == -9
    assert path.read_text() == "older"
    assert len(os.listdir(tmp_path)) == 2
    put_file(path, "newer")
    assert path.read_text() == "newer"
    assert os.listdir(tmp_path) == ["rig.toml"]


def test_a_link_stays_a_link_and_what_it_names_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "rig.toml"
    real.write_text("older")
    real.chmod(0o640)
    link.symlink_to("real.toml")
    put_file(link, "newer")
    assert link.is_symlink()
    assert real.read_text() == "newer"
    assert real.stat().st_mode & 0o777 == 0o640


def in_the_way(folder: Path) -> list[Path]:
    (folder / "file").write_text("x")
    (folder / "taken").mkdir()
    (folder / ".part-taken.part").mkdir()
    names = ["file/rig.toml", "taken", "part-taken", "x" * 400, "nul\0"]
    return [folder / name for name in names]


@pytest.mark.parametrize("which", range(5))
def test_what_stands_in_the_way_is_told_in_one_sentence(tmp_path: Path, which: int) -> None:
    path = in_the_way(tmp_path)[which]
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(InputError, match=r"cannot be written .*; choose another place"):
        put_file(path, "new")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="no locks here")
    entered = threading.Event()

    def second() -> None:
        with one_writer(tmp_path):
            entered.set()

    with one_writer(tmp_path):
        other = threading.Thread(target=second)
        other.start()
        assert not entered.wait(0.2)
    assert entered.wait(10.0)
    other.join(10.0)
