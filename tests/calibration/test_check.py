from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.board import BoardView
from calibration.check_cameras import USUAL_SIGMA, CamerasChecked, check_cameras
from calibration.check_known import known_causes, known_tip
from calibration.check_parts import cameras_part, temperature_part, tip_part
from calibration.check_touches import Touch, Touches
from calibration.check_views import CAUSES, SeenBoth, zoomed
from calibration.sheets import TARGET
from guidance.cli import main
from guidance.rig_checked import checked_words
from models.camera_offset import PatchReading
from models.geometry import Floats, Pose, rotation_from_rvec
from models.radiometry import StatedRadiometry
from models.rig import Rig
from models.rig_checked import CHECK_FILE, CheckedPart, RigChecked, read_checked, write_checked
from models.rig_file import write_rig
from models.sightings import Lost, NozzleSighting
from tests.calibration.check_scenes import board_session, turned
from vision.recording import open_recording
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

RIG = replace(real_rig(Scene(size=0.5, depth_hz=0.0)), thermal=real_rig(Scene()).thermal)
"""Colour 640 x 360, thermal 256 x 192."""
KNOWN = np.diag(USUAL_SIGMA**2)


def views_of(rng: np.random.Generator, causes: Floats, *, count: int = 4, real: Rig = RIG) -> list[SeenBoth]:
    """A target at about one distance, leaning; corners with noise, each thermal view shifted by its own."""
    assert real.thermal is not None
    corners, ids = TARGET.corners_mm, np.arange(len(TARGET.corners_mm))
    middle, away_mm = corners.mean(axis=0), rng.uniform(520.0, 700.0)
    own = corners.reshape(-1, 4, 3)
    warm = (own.mean(axis=1, keepdims=True) + 1.01 * (own - own.mean(axis=1, keepdims=True))).reshape(-1, 3)
    moved = Pose.of(rotation_from_rvec(causes[:3]), causes[3:6]) @ real.thermal.thermal_from_rgb
    size = np.array([real.rgb.width_px, real.rgb.height_px]) - 3.0
    views: list[SeenBoth] = []
    while len(views) < count:
        way, lean = rng.uniform(0.0, 2.0 * np.pi), np.radians(rng.uniform(15.0, 35.0))
        turn = rotation_from_rvec(lean * np.array([np.cos(way), np.sin(way), 0.0]))
        at = np.array([rng.uniform(-50, 50), rng.uniform(-30, 30), away_mm + rng.uniform(-80, 80)])
        colour = zoomed(real.rgb, causes[7]).project((corners - middle) @ turn.T + at)
        thermal = zoomed(real.thermal.camera, causes[6]).project(moved.apply((warm - middle) @ turn.T + at))
        if np.all((thermal > 2.0) & (thermal < [253.0, 189.0]) & (colour > 2.0) & (colour < size)):
            colour = colour + 0.1 * rng.normal(size=colour.shape)
            thermal = thermal + 0.25 * rng.normal(size=thermal.shape) + 0.1 * rng.normal(size=2)
            views.append(SeenBoth(BoardView("", ids, colour), BoardView("", ids, thermal)))
    return views


def checked(seed: int, **moved: float) -> CamerasChecked:
    """A rig that is off as honest rigs are, and in which one thing has moved."""
    rng = np.random.default_rng(seed)
    causes = 0.5 * USUAL_SIGMA * rng.normal(size=len(CAUSES))
    for name, size in moved.items():
        causes[CAUSES.index(name)] += size
    return check_cameras(views_of(rng, causes), TARGET.corners_mm, RIG, known=KNOWN)


@pytest.mark.parametrize(
    ("cause", "moved"),
    [
        ("turned", {"ry_rad": np.radians(1.0)}),
        ("turned", {"rz_rad": np.radians(-2.0)}),
        ("shifted", {"tx_mm": 15.0}),
        ("thermal zoom", {"thermal_zoom": 0.05}),
        ("colour zoom", {"rgb_zoom": -0.05}),
    ],
)
def test_what_moved_is_named_first_and_its_size_lies_within_its_bound(
    cause: str, moved: dict[str, float]
) -> None:
    found = checked(3, **moved)
    assert found.state == "moved"
    assert found.causes[0] == cause
    (name, size), k = next(iter(moved.items())), CAUSES.index(next(iter(moved)))
    assert found.found[k] == pytest.approx(size, abs=1.5 * found.u95[k]), name
    assert found.on_skin_mm > 2.0


def test_a_rig_as_it_was_raises_no_false_alarm() -> None:
    """12 rigs that are off by as much as their covariance says (1 sigma)."""
    for seed in range(12):
        rng = np.random.default_rng(50 + seed)
        off = USUAL_SIGMA * rng.normal(size=len(CAUSES))
        found = check_cameras(views_of(rng, off), TARGET.corners_mm, RIG, known=KNOWN)
        assert found.state != "moved"
        assert found.causes == ()


def test_one_cause_that_explains_as_well_is_named_too() -> None:
    part = cameras_part(replace(checked(3, tx_mm=15.0), causes=("shifted", "turned")))
    assert part.state == "moved"
    assert "shifted" in part.words
    assert " or the thermal camera is turned" in part.words
    assert "calibrate thermal" in part.words


@pytest.mark.parametrize(
    ("off", "state", "words"),
    [
        ((0.3, -0.2, 0.5), "valid", "where it should be"),
        ((0.2, 0.1, 6.0), "moved", "collar slipped along the nozzle by 6.0 mm, away from the tip"),
        ((0.2, 0.1, -6.0), "moved", "towards the tip"),
        ((5.0, 1.0, 0.4), "moved", "tip is bent aside by 5.1 mm"),
    ],
)
def test_touches_tell_a_slipped_collar_from_a_bent_tip(
    off: tuple[float, float, float], state: str, words: str
) -> None:
    touches = [Touch(f"corner {k}", np.array(off), 0.1 * np.eye(3)) for k in range(2)]
    part = tip_part(touches, tip_covariance_mm2=0.1 * np.eye(3))
    assert part.state == state
    assert words in part.words


def led(tip_mm: Floats, t_s: float) -> NozzleSighting:
    """A nozzle that points along +y of the rgb frame, its tip as the rig has it."""
    turn = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0]))
    pose = Pose.of(turn, tip_mm)
    return NozzleSighting(t_s, pose, 0.01 * np.eye(6), tip_mm, 3, "tracked")


def test_a_tip_that_rests_near_a_known_point_touches_it_and_one_that_passes_does_not() -> None:
    """The collar slipped by 4 mm along the nozzle: the rig places the tip 4 mm short of the corner."""
    corner, other = np.array([10.0, 20.0, 700.0]), np.array([34.0, 20.0, 700.0])
    touches = Touches()
    touches.points_rgb_mm |= {"corner 0": corner, "corner 1": other}
    for k in range(10):  # passes both
        touches.add(led(corner + np.array([5.0 * k, -4.0, 0.0]), 0.05 * k))
    for k in range(10):
        touches.add(led(corner + np.array([0.1 * (k % 2), -4.0, 0.0]), 0.5 + 0.05 * k))
        touches.add(Lost("hidden", 0.52 + 0.05 * k))
    for k in range(10):  # rests where nothing is known
        touches.add(led(corner + np.array([80.0, 0.0, 0.0]), 1.0 + 0.05 * k))
    (found,) = touches.found()
    assert found.point == "corner 0"
    assert found.off_nozzle_mm == pytest.approx([0.0, 0.0, 4.0], abs=0.15)
    part = tip_part([found], tip_covariance_mm2=0.1 * np.eye(3))
    assert "collar slipped along the nozzle by 4.0 mm" in part.words


def test_nothing_touched_is_not_valid() -> None:
    assert tip_part([], tip_covariance_mm2=None).state == "not looked at"
    assert temperature_part([], claim_u95_degc=2.0).state == "not looked at"


def test_a_camera_that_reads_beyond_its_claim_is_told() -> None:
    def reading(off_degc: float) -> PatchReading:
        return PatchReading(off_degc, 0.1, 0.3, 2.0, 30.0)

    assert temperature_part([reading(1.5)], claim_u95_degc=2.0).state == "valid"
    told = temperature_part([reading(1.5), reading(-2.6)], claim_u95_degc=2.0)
    assert told.state == "moved"
    assert "2.6 +- 0.3 degC too cold at 30 degC" in told.words


def test_what_a_rig_states_is_taken_in_place_of_what_is_usual() -> None:
    tables: dict[str, object] = {
        "rgb": {"fx_px": 1000.0, "covariance": {"parameters": ["fx_px"], "matrix": [[4.0]]}},
        "thermal": {
            "fx_px": 250.0,
            "covariance": {"parameters": ["fx_px", "rx_rad"], "matrix": [[1.0, 0.0005], [0.0005, 1e-6]]},
        },
        "nozzle": {"covariance": {"parameters": ["tip_x_mm"], "matrix": [[1.0]]}},
    }
    known = known_causes(tables)
    assert known[7, 7] == pytest.approx(0.002**2)
    assert known[6, 6] == pytest.approx(0.004**2)
    assert known[0, 6] == pytest.approx(0.0005 / 250.0)
    assert known[3, 3] == USUAL_SIGMA[3] ** 2
    assert known_tip(tables) is None


def run(folder: Path, real: Rig, *, reference_degc: float = 30.0) -> tuple[int, RigChecked]:
    """The command on a session in which the target is shown; the reference is said to have 30 degC."""
    session = board_session(folder / "shown", real, RIG, reference_degc=reference_degc)
    shutil.copy(session / "rig.toml", folder / "rig.toml")
    (folder / "known.toml").write_text(
        "[[reference]]\noutline_px = [[8, 8], [39, 8], [39, 39], [8, 39]]\ndegc = 30.0\nu95_degc = 0.3\n"
    )
    code = main(
        ["calibrate", "check", str(session), "--rig", str(folder / "rig.toml"), "--references",
         str(folder / "known.toml")]
    )  # fmt: skip
    return code, read_checked((folder / CHECK_FILE).read_text(), where=CHECK_FILE)


def test_a_target_shown_to_a_true_rig_is_valid_and_says_what_was_not_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(tmp_path, RIG)
    assert code == 0
    states = {part.name: part.state for part in found.parts}
    assert states == {
        "cameras": "valid", "tip": "not looked at", "temperature": "valid", "time": "not looked at"
    }  # fmt: skip
    assert "VALID" in capsys.readouterr().out
    page = (tmp_path / "rig-certificate.html").read_text()
    assert "Quick check: valid" in page
    assert "Accepted" not in page


def test_a_turned_camera_that_reads_too_warm_is_told_with_both(tmp_path: Path) -> None:
    assert RIG.thermal is not None
    real = replace(RIG, thermal=replace(RIG.thermal, thermal_from_rgb=turned(RIG, degrees=(0.0, 1.2, 0.0))))
    code, found = run(tmp_path, real, reference_degc=34.0)
    assert code == 3
    assert [part.name for part in found.moved] == ["cameras", "temperature"]
    told = found.moved[0].words.partition("turned against the colour camera by ")[2]
    assert float(told.split()[0]) == pytest.approx(1.2, abs=0.05)
    assert "4.0 +-" in found.moved[1].words or "3.9 +-" in found.moved[1].words
    assert "too warm" in found.moved[1].words
    assert (found.moved[0].again, found.moved[1].again) == (("thermal",), ("radiometry",))


def test_a_camera_whose_radiometry_the_rig_holds_is_held_against_that(tmp_path: Path) -> None:
    """It reads 4 degC too warm, as its radiometry says: valid, and to a few tenths, not to its claim."""
    session = board_session(tmp_path / "shown", RIG, RIG, reference_degc=34.0)
    rig = tmp_path / "rig.toml"
    for offset, code in ((4.0, 0), (3.0, 3)):
        told = StatedRadiometry(
            datetime.now(UTC), offset, 34.0, 0.0, 0.0, np.diag([0.003, 1e-6, 1e-6]), 0.2, (0.0, 34.0)
        )
        assert RIG.thermal is not None
        rig.write_text(write_rig(replace(RIG, thermal=replace(RIG.thermal, radiometry=told))))
        known = tmp_path / "known.toml"
        known.write_text(
            "[[reference]]\noutline_px = [[8, 8], [39, 8], [39, 39], [8, 39]]\ndegc = 30.0\nu95_degc = 0.3\n"
        )
        words = ["calibrate", "check", str(session), "--rig", str(rig), "--references", str(known)]
        assert main(words) == code
        found = read_checked((tmp_path / CHECK_FILE).read_text(), where=CHECK_FILE)
        part = next(one for one in found.parts if one.name == "temperature")
        assert part.state == ("valid" if code == 0 else "moved")
        assert "calibrated to 0." in part.words
    assert "1.0 +-" in part.words
    assert "too warm" in part.words
    assert part.again == ("radiometry",)


def test_the_outcome_is_told_before_a_session_with_its_age(tmp_path: Path, calf: Path) -> None:
    folder = tmp_path / "calf"
    shutil.copytree(calf, folder)
    at = datetime(2026, 11, 23, 9, 57, tzinfo=UTC)
    recording = open_recording(folder)
    assert checked_words(recording, now=at) is None
    valid = (CheckedPart("cameras", "valid", "agree"), CheckedPart("tip", "not looked at", "no touch"))
    for parts, ok, words in (
        (valid, True, "checked 3 min ago: valid; not told: tip"),
        ((CheckedPart("tip", "moved", "the tip is bent"),), False, "checked 3 min ago: the tip is bent"),
        ((CheckedPart("tip", "not looked at", "no touch"),), False, "checked 3 min ago: not looked at"),
    ):
        done = RigChecked(at, recording.rig_sha256 or "", parts)
        (folder / CHECK_FILE).write_text(write_checked(done))
        assert read_checked((folder / CHECK_FILE).read_text(), where="") == done
        told = checked_words(recording, now=at + timedelta(minutes=3))
        assert told is not None
        assert told[0] is ok
        assert told[1].startswith(words)
    other = RigChecked(at, "0" * 64, valid)
    (folder / CHECK_FILE).write_text(write_checked(other))
    assert checked_words(recording, now=at) == (False, "checked 0 min ago, but another rig.toml")
    (folder / CHECK_FILE).write_text("nonsense")
    assert checked_words(recording, now=at) is None
