"""``cryoguide import`` asks for what it cannot know, and writes nothing before it knows all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from guidance.cli import main
from tests.guidance.importing import THERMAL_ONLY, run, small_array


def test_everything_that_is_missing_is_told_at_once(
    calf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(calf / "thermal.mkv"), str(tmp_path / "out"), "--unit", "centikelvin"]) == 2
    told = capsys.readouterr().err
    wanted = ("zone", "side", "protocol", "colour", "reflected-degc", "distance-mm", "camera-emissivity")
    assert [name for name in wanted if f"--{name} is missing" not in told] == []
    assert not (tmp_path / "out").exists()


def test_a_recorded_session_is_never_replaced(
    array: Path, tiny: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny()
    before = (folder / "session.toml").read_bytes()
    assert run(array, folder, *THERMAL_ONLY, "--reflected-degc", "22") == 2
    assert "holds a session that was not imported" in capsys.readouterr().err
    assert (folder / "session.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["--humidity", "50"], "--humidity is a share from 0 to 1: for 50 % write 0.5"),
        (["--emissivity", "1.2"], "--emissivity must be from 0.5 to 1"),
        (["--distance-mm", "-1"], "--distance-mm must be from 0 to 20000"),
        (["--zone", "calv"], "--zone calv is not known (did you mean calf?)"),
        (["--side", "both"], "--side both is not known (use one of left, right)"),
        (["--protocol", "ice"], "--protocol ice is not known"),
        (["--subject", "Jane Doe"], "--subject 'Jane Doe' is no code"),
        (["--started", "yesterday"], "--started 'yesterday' is no date with time"),
        (["--every-s", "0"], "--every-s must be above 0"),
        (["--unit", "fahrenheit"], "--unit fahrenheit is not known"),
        (["--size-px", "big"], "--size-px 'big' must be width and height"),
        (["--valve", "5:1"], "--valve must be intervals in seconds, in order"),
        (["--outline", "1,1 2,2"], "--outline must be at least three points"),
        (["--camera-emissivity", "0.95"], "--camera-reflected-degc is missing"),
        (["--degc-at-0", "18"], "--degc-at-0 and --degc-per-step belong together"),
        (["--colour", "gone.mp4"], "gone.mp4 does not exist"),
        (["--rig", "gone.toml"], "gone.toml cannot be read"),
        (["--depth", "gone.png"], "gone.png is no depth stream"),
    ],
)
def test_each_wrong_option_is_told_with_what_to_do(
    array: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], told: str
) -> None:
    out = tmp_path / "session"
    assert run(array, out, *THERMAL_ONLY, "--reflected-degc", "22", *change) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_times_that_run_backwards_are_refused(
    array: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "t.npz", t_s=[0.0, 0.2, 0.1], degc=np.full((3, 12, 16), 20.0, np.float32))
    out = tmp_path / "session"
    untimed = [o for o in THERMAL_ONLY if o not in ("--every-s", "0.1")]
    assert run(tmp_path / "t.npz", out, *untimed, "--reflected-degc", "22") == 2
    assert "the times of t.npz run backwards at picture 2 (0.2 s, then 0.1 s)" in capsys.readouterr().err


def test_a_table_of_times_of_another_length_is_refused(
    array: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("index,t_s\n0,0.0\n1,0.1\n")
    untimed = [o for o in THERMAL_ONLY if o not in ("--every-s", "0.1")]
    csv = ["--thermal-csv", tmp_path / "t.csv", "--reflected-degc", "22"]
    assert run(array, tmp_path / "session", *untimed, *csv) == 2
    assert "t.csv has 2 rows, but t.npy has 3 pictures" in capsys.readouterr().err


def test_pictures_of_another_size_than_the_rigs_are_refused(
    array: Path, calf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = ["--rig", calf / "rig.toml", "--reflected-degc", "22"]
    assert run(array, tmp_path / "session", *THERMAL_ONLY, *rig) == 2
    assert "t.npy has pictures of 16x12, but the rig's thermal camera has 256x192" in capsys.readouterr().err


def test_a_unit_that_makes_no_skin_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "t.npy", np.full((3, 12, 16), 7_900, np.uint16))
    out = tmp_path / "session"
    options = [*THERMAL_ONLY, "--reflected-degc", "22", "--unit", "centikelvin"]
    assert run(tmp_path / "t.npy", out, *options) == 2
    assert "the middle of the first picture would be at -194 degC" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "t.npy"]


def test_a_colour_picture_is_refused_by_name_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "iron_1.png"), np.random.default_rng(1).integers(0, 255, (12, 16, 3), np.uint8))
    assert run(folder, tmp_path / "session", *THERMAL_ONLY, "--reflected-degc", "22") == 2
    assert "iron_1.png is a colour picture" in capsys.readouterr().err
    assert not (tmp_path / "session").exists()


@pytest.fixture
def array(tmp_path: Path) -> Path:
    return small_array(tmp_path)
