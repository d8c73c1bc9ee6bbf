"""``calibrate all`` does every step for which there is something, and one that fails stops no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.folder_steps import ACCEPTED, MISSING, REFUSED
from calibration.further_steps import ORDER, TITLES, WANTED, run_further
from guidance.cli import main
from models.rig_file import read_rig, write_rig
from models.validity import RESTS_ON
from tests.calibration.test_spread import edge
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rig.toml").write_text(write_rig(real_rig(Scene())))
    return tmp_path


def show_an_edge(folder: Path) -> None:
    (folder / "spread").mkdir()
    for k in range(4):
        degc = edge(share=0.09, seed=k, lean=0.06 + 0.05 * k)
        counts = np.rint(100.0 * (degc + 273.15)).astype(np.uint16)
        cv2.imwrite(str(folder / "spread" / f"{k}.png"), counts)


def test_each_step_comes_after_those_it_rests_on() -> None:
    assert set(ORDER) == set(RESTS_ON)
    for step, grounds in RESTS_ON.items():
        assert all(ORDER.index(ground) < ORDER.index(step) for ground in grounds)


def test_every_step_has_its_title_and_says_what_it_wants() -> None:
    assert TITLES.keys() == WANTED.keys() == set(ORDER) - {"rgb", "thermal", "collar", "tip"}


@pytest.mark.parametrize("name", TITLES)
def test_where_nothing_is_there_nothing_is_done(name: str, folder: Path) -> None:
    before = (folder / "rig.toml").read_bytes()
    assert run_further(name, folder, folder / "rig.toml", words=[], force=False, now=NOW) is None
    assert (folder / "rig.toml").read_bytes() == before


def test_what_lies_in_its_folder_ends_in_the_rig(folder: Path) -> None:
    show_an_edge(folder)
    told = run_further("spread", folder, folder / "rig.toml", words=[], force=False, now=NOW)
    assert told is not None
    assert told.state == ACCEPTED
    rig, _ = read_rig((folder / "rig.toml").read_text(), where="rig.toml")
    assert rig.thermal is not None
    assert rig.thermal.spread is not None


def test_without_a_rig_the_cameras_come_first(folder: Path) -> None:
    show_an_edge(folder)
    told = run_further("spread", folder, folder / "none.toml", words=[], force=False, now=NOW)
    assert told is not None
    assert (told.state, told.lines) == (
        MISSING,
        (f"{folder / 'none.toml'} is not there: the cameras come first.",),
    )


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("time", [], "holds no recording"),
        ("radiometry", ["--reference", "nowhere", "0", "0.2", "0.98"], "nowhere"),
    ],
)
def test_what_cannot_be_read_is_refused_by_itself(
    name: str, words: list[str], said: str, folder: Path
) -> None:
    (folder / "time").mkdir()
    told = run_further(name, folder, folder / "rig.toml", words=words, force=False, now=NOW)
    assert told is not None
    assert told.state == REFUSED
    assert said in told.lines[-1]


def test_all_goes_through_them_in_their_order_and_names_what_is_not_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_an_edge(folder)
    (folder / "time").mkdir()
    assert main(["calibrate", "all", str(folder), "--rig", str(folder / "rig.toml")]) == 3
    told = capsys.readouterr().out
    titles = ["Thermal spread\n", "Time between the cameras\n", "Tip of the nozzle\n"]
    places = [told.index(title) for title in titles]
    assert places == sorted(places)
    assert "Not measured, as nothing is there for it:\n  depth/colour/ and depth/depth/" in told
    assert "\n  --reference" in told
    assert "  jet/: " in told
    assert "Time between the cameras  refused" in told
