"""What is no calibration is told in one sentence that fits: what is wrong, where, what to do."""

from __future__ import annotations

import shutil
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.pictures import read_folder
from guidance.cli import main
from models.problems import InputError

RIG = Path(__file__).parents[1] / "recordings" / "calf" / "rig.toml"
POSE = "1 0 0 {x} 0 1 0 0 0 0 1 0 0 0 0 1\n"


@pytest.fixture(autouse=True)
def _keep_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def told(arguments: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence with which a command is turned down; ``@`` stands for the folder, ``RIG`` for a rig."""
    rig = folder / "rig.toml"
    shutil.copy(RIG, rig)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code = main(
            [
                "--debug",
                *(word.replace("@", str(folder)).replace("RIG", str(rig)) for word in arguments.split()),
            ]
        )
    assert code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_poses_with_numbers_that_no_tracker_gives_are_refused(tmp_path: Path, capsys) -> None:
    for name, text in (
        ("far", POSE.format(x="1e300") * 20),
        ("huge", POSE.format(x="100").replace("1 ", "1e308 ") * 20),
    ):
        (tmp_path / f"{name}.txt").write_text(text)
        assert "no tool is tracked 100000 mm away" in told(f"calibrate tip @/{name}.txt", tmp_path, capsys)
    np.save(tmp_path / "complex.npy", np.ones((20, 4, 4)) * 1j)
    assert "complex numbers" in told("calibrate tip @/complex.npy", tmp_path, capsys)
    (tmp_path / "good.txt").write_text(POSE.format(x=100) * 20)
    assert "within 2000 mm" in told("calibrate tip @/good.txt --marker-mm 1e300 0 0", tmp_path, capsys)


def test_poses_that_do_not_turn_are_refused_without_a_word_of_the_libraries(tmp_path: Path, capsys) -> None:
    (tmp_path / "still.txt").write_text(POSE.format(x=100) * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["--debug", "calibrate", "tip", str(tmp_path / "still.txt")]) == 3
    assert "turned by 0.0 degrees only" in capsys.readouterr().out


def test_pictures_that_cannot_be_read_are_not_called_pictures_without_a_nozzle(
    tmp_path: Path, capsys
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.jpg").write_text("no picture")
    assert "no picture that can be read" in told("calibrate tip @/texts --rig RIG", tmp_path, capsys)
    sentence = told("calibrate axis @/texts --rig RIG --from-s 5 --to-s 2", tmp_path, capsys)
    assert "--from-s 5 is not before --to-s 2" in sentence


def test_a_folder_that_is_not_there_is_called_so(tmp_path: Path, capsys) -> None:
    for step in ("rgb", "collar"):
        rig = " --rig RIG" if step == "collar" else ""
        assert "nix does not exist" in told(f"calibrate {step} @/nix{rig}", tmp_path, capsys)


def test_as_many_pictures_of_one_size_as_of_another_are_told_apart(tmp_path: Path) -> None:
    for name, shape in (("a", (30, 40)), ("b", (60, 80)), ("c", (30, 40)), ("d", (60, 80))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match=r"of two sizes: a.png, c.png are 40 x 30, b.png is 80 x 60;"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--across-mm 99999", "99999 mm across cannot be"),
        ("--bore-mm 100000", "A bore of 100000 mm does not go through a collar 60 mm across"),
    ],
)
def test_a_collar_that_cannot_be_is_not_printed(options: str, why: str, tmp_path: Path, capsys) -> None:
    assert why in told(f"calibrate print collar --out @/sheets {options}", tmp_path, capsys)
    assert not (tmp_path / "sheets").exists()


def test_a_reference_is_named_by_a_plain_number(tmp_path: Path, capsys) -> None:
    words = "calibrate radiometry --rig RIG --reference @ 0 0.2 water --region \u00b2 1,2,3,4"
    assert "names no reference" in told(words, tmp_path, capsys)


def test_references_that_cannot_be_read_are_named_once(tmp_path: Path, capsys) -> None:
    session = RIG.parent
    sentence = told(f"calibrate check {session} --rig RIG --references @/none.toml", tmp_path, capsys)
    assert "none.toml cannot be read (No such file or directory); write [[reference]]" in sentence


def test_a_jet_is_not_called_by_another_device_than_its_recording(tmp_path: Path, capsys) -> None:
    words = f"calibrate jet {RIG.parent} --rig RIG --device toaster"
    assert "not toaster; leave --device out" in told(words, tmp_path, capsys)
