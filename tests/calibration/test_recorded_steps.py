"""Steps of a calibration from recordings of bare cameras: drawn with known truth, recorded, calibrated."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.guided_pictures import collar_picture
from calibration.gas_times import gas_times
from calibration.own_times import retimed
from calibration.recorded_pictures import MOST_COLLAR, board_pairs, turning_pictures
from calibration.sheets import TARGET
from calibration.thermal_command import found_in_both
from guidance.cli import main
from models.capture import Capture, ThermalPicture
from models.geometry import Bytes, Counts, Pose, rotation_from_rvec
from models.problems import InputError
from models.rig_checked import CHECK_FILE, read_checked
from models.rig_file import read_rig, write_rig
from models.stream_clock import StreamClock
from tests.calibration.check_scenes import POSES, board_session, drawn, lean
from tests.calibration.filmed import filmed, held
from tests.calibration.motion_scenes import hand
from tests.calibration.radiometry_scenes import ErringCamera
from tests.calibration.test_check import RIG
from tests.calibration.test_guided_run import FOCAL
from tests.calibration.test_guided_run import drawn as drawn_board
from tests.calibration.test_radiometry import COLD, WARM, command, rig_of, write_recording
from tests.calibration.test_spread import edge
from vision.playback import flow_s
from vision.recording import open_recording
from vision.synthetic_rig import collar, real_rig
from vision.synthetic_scene import Scene


def counts_of(degc: np.ndarray) -> Counts:
    return np.rint(100.0 * (degc + 273.15)).astype(np.uint16)


def grey_of(light: np.ndarray) -> Bytes:
    grey = np.clip(np.rint(light), 0.0, 255.0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    path = tmp_path / "rig.toml"
    path.write_text(write_rig(real_rig(Scene())))
    return path


def test_time_from_a_waved_hand_is_found_to_3_ms(tmp_path: Path, rig: Path) -> None:
    """Thermal pictures are stamped 310 ms late; colour at 15 a second, JPEG."""
    path = hand(np.random.default_rng(4), seconds=14.0)
    noise = np.random.default_rng(5)

    def blob(t_s: float, height: int, width: int) -> np.ndarray:
        y, x = np.mgrid[:height, :width] / width
        at = path(np.array([t_s]))[0]
        return np.exp(-0.5 * (((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.1**2) ** 2)

    colour_s, exposed_s = np.arange(0.0, 14.0, 1 / 15).tolist(), np.arange(0.013, 13.6, 1 / 25).tolist()
    filmed(
        tmp_path / "wave.mcap",
        colour=[
            (t, grey_of(60.0 + 120.0 * blob(t, 72, 96) + noise.normal(0.0, 2.0, (72, 96)))) for t in colour_s
        ],
        thermal=[
            (t + 0.31, counts_of(23.0 + 9.0 * blob(t, 48, 64) + noise.normal(0.0, 0.06, (48, 64))), False)
            for t in exposed_s
        ],
    )
    assert main(["calibrate", "time", str(tmp_path / "wave.mcap"), "--rig", str(rig)]) == 0
    found, _ = read_rig(rig.read_text(), where="rig")
    assert found.thermal is not None
    assert found.thermal.rgb_minus_thermal_s == pytest.approx(-0.31, abs=0.003)


def test_spread_from_a_thermal_camera_alone(tmp_path: Path, rig: Path) -> None:
    """An edge that is moved a little each second."""
    shown = [counts_of(edge(share=0.09, seed=k, lean=0.06 + 0.05 * (k // 8))) for k in range(32)]
    filmed(tmp_path / "edge.mcap", thermal=[(k / 8.0, one, k == 5) for k, one in enumerate(shown)])
    assert main(["calibrate", "spread", str(tmp_path / "edge.mcap"), "--rig", str(rig)]) == 0
    found, _ = read_rig(rig.read_text(), where="rig")
    assert found.thermal is not None
    assert found.thermal.spread is not None
    assert found.thermal.spread.halo is not None
    assert found.thermal.spread.halo.share == pytest.approx(0.09, abs=0.02)


def test_radiometry_from_references_recorded_one_by_one(tmp_path: Path) -> None:
    camera, path = ErringCamera(), rig_of(tmp_path)
    for name, before in (("ice", COLD), ("block", WARM)):
        with np.load(write_recording(tmp_path / name, camera, before) / "thermal.npz") as told:
            rows = zip(told["t_s"].tolist(), told["centikelvin"], told["flag"].tolist(), strict=True)
            first_s = told["t_s"][0]
            filmed(tmp_path / f"{name}.mcap", thermal=[(t - first_s, one, bool(f)) for t, one, f in rows])
    again = tmp_path / "again.toml"
    again.write_bytes(path.read_bytes())
    assert main(command(tmp_path / "ice.mcap", tmp_path / "block.mcap", path)) == 0
    assert main(command(tmp_path / "ice", tmp_path / "block", again)) == 0
    ours, folders = (tomllib.loads(one.read_text())["thermal"]["radiometry"] for one in (path, again))
    assert ours["gain"] == pytest.approx(camera.gain, abs=0.02)
    # Each holds where its offset and gain do not err together, which is not at the same temperature.
    moved = ours["offset_degc"] + ours["gain"] * (folders["at_degc"] - ours["at_degc"])
    assert moved == pytest.approx(folders["offset_degc"], abs=0.005)
    assert ours["gain"] == pytest.approx(folders["gain"], abs=0.002)


def test_the_lens_from_a_board_held_here_and_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The board moves between; each place counts once."""
    rng = np.random.default_rng(0)
    poses = [
        np.array([x, y, 0.05, *at])
        for x, y, at in (
            (0.5, 0.0, (-150, -90, 480)), (-0.5, 0.1, (-60, -110, 420)), (0.0, 0.5, (-180, -60, 620)),
            (0.1, -0.5, (20, -100, 520)), (0.4, 0.4, (-130, 10, 560)), (-0.4, -0.3, (30, 0, 640)),
            (-0.3, 0.4, (-330, -170, 600)), (0.3, -0.4, (130, 60, 700)),
        )
    ]  # fmt: skip
    shown = held([drawn_board(pose, rng) for pose in poses], hold_s=1.2, hz=4.0)
    (tmp_path / "all" / "rgb").mkdir(parents=True)
    path = filmed(tmp_path / "all" / "rgb" / "board.mcap", colour=shown).path
    out, again = tmp_path / "new.toml", tmp_path / "again.toml"
    assert main(["calibrate", "rgb", str(path), "--out", str(out)]) == 0
    assert f"{len(poses)} pictures of a ChArUco board" in capsys.readouterr().out
    assert tomllib.loads(out.read_text())["rgb"]["fx_px"] == pytest.approx(FOCAL, rel=0.004)
    words = ["all", str(tmp_path / "all"), "--steps", "rgb", "--measured-mm", "100", "--out", str(again)]
    assert main(["calibrate", *words]) == 0, "a recording in the folder of its step"
    one, other = (tomllib.loads(path.read_text())["rgb"] for path in (again, out))
    for name in ("fx_px", "fy_px", "cx_px", "cy_px"):
        assert one[name] == pytest.approx(other[name], abs=1e-4)


def test_pairs_are_of_one_pose_and_none_is_taken_while_the_target_moves(tmp_path: Path) -> None:
    """The thermal camera stamps 310 ms late: a target held for a second is still in both."""
    assert RIG.thermal is not None
    poses = (*POSES, lean(22.0, 18.0, (30.0, -20.0, 600.0)))
    colour = [grey_of(drawn(RIG.rgb, pose, dark=40.0, light=215.0, beside=120.0)) for pose in poses]
    warm = [
        drawn(RIG.thermal.camera, RIG.thermal.thermal_from_rgb @ pose, dark=24.0, light=34.0, beside=22.0)
        for pose in poses
    ]
    thermal = [
        (t + 0.31, one, False) for t, one in held([counts_of(one) for one in warm], hold_s=1.6, hz=10.0)
    ]
    filmed(
        tmp_path / "pairs.mcap",
        colour=held(colour, hold_s=1.6, hz=10.0),
        thermal=thermal,
    )
    pairs, _ = board_pairs(tmp_path / "pairs.mcap", TARGET)
    assert len(pairs) == len(poses)
    found = found_in_both(pairs, TARGET, [])
    assert len(found) == len(poses)
    for pair, pose in zip(found, poses, strict=True):
        own = RIG.rgb.project(pose.apply(TARGET.corners_mm))[pair.rgb.ids]
        far = (RIG.thermal.thermal_from_rgb @ pose).apply(TARGET.corners_mm)
        theirs = RIG.thermal.camera.project(far)[pair.thermal.ids]
        assert np.abs(pair.rgb.corners_px - own).max() < 1.0
        assert np.abs(pair.thermal.corners_px - theirs).max() < 2.0


def test_the_axis_from_a_nozzle_that_is_spun_and_held_now_and_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = real_rig(Scene(size=0.6, thermal_hz=0.0, depth_hz=0.0))
    axis = rotation_from_rvec(np.array([0.02, -0.015, 0.0]))[:, 2]
    first = rotation_from_rvec(np.array([-np.pi / 2 + 0.25, 0.0, 0.0]))
    middle = collar().corners_mm.reshape(-1, 3).mean(axis=0)
    rng = np.random.default_rng(0)
    pictures = []
    for k in range(20):
        turn = first @ rotation_from_rvec(axis * 2.0 * np.pi * k / 20.0)
        at = np.array([0.0, 0.0, 300.0]) + rng.normal(0.0, 1.0) * (turn @ axis) - first @ middle
        pictures.append(collar_picture(collar(), Pose.of(turn, at), own.rgb, rng))
    shown = [(k / 3.0, pictures[k // 2]) for k in range(40)]
    filmed(tmp_path / "spin.mcap", colour=shown)
    path = tmp_path / "rig.toml"
    path.write_text(write_rig(own))
    assert main(["calibrate", "axis", str(tmp_path / "spin.mcap"), "--rig", str(path)]) == 0
    assert "The nozzle was found in 20 of 40 pictures" in capsys.readouterr().out
    after, _ = read_rig(path.read_text(), where="rig.toml")
    assert after.nozzle is not None
    turn, *_ = np.linalg.lstsq(
        collar().corners_mm.reshape(-1, 3), after.nozzle.tags.corners_mm.reshape(-1, 3), rcond=None
    )
    assert axis @ turn == pytest.approx((0.0, 0.0, 1.0), abs=np.radians(0.3))


def test_a_collars_pictures_are_spread_over_its_turn(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    colour = [(k / 10.0, noise.integers(0, 255, (24, 32, 3)).astype(np.uint8)) for k in range(200)]
    filmed(tmp_path / "turn.mcap", colour=colour)
    names, pictures = turning_pictures(tmp_path / "turn.mcap")
    assert len(names) == len(pictures) == MOST_COLLAR
    times = [float(name.removesuffix(" s")) for name in names]
    assert max(np.diff(times)) < 0.6


def test_the_check_finds_a_true_rig_valid_whether_or_not_it_was_recorded_with_it(tmp_path: Path) -> None:
    """Its thermal camera stamps 310 ms late."""
    assert RIG.thermal is not None
    own = replace(RIG, thermal=replace(RIG.thermal, rgb_minus_thermal_s=-0.31))
    shown = open_recording(board_session(tmp_path / "shown", own, own, reference_degc=30.0))
    captures = list(shown.captures())
    (tmp_path / "rig.toml").write_text(write_rig(own))
    for then in (own, None):
        path = filmed(
            tmp_path / f"shown-{then is None}.mcap",
            colour=[(one.t_s, one.bgr) for one in captures if one.bgr is not None],
            thermal=[
                (pic.t_s + 0.31, pic.centikelvin, pic.shutter) for one in captures for pic in one.thermal
            ],
            rig=then,
        ).path
        assert main(["calibrate", "check", str(path), "--rig", str(tmp_path / "rig.toml")]) == 0
        found = read_checked((tmp_path / CHECK_FILE).read_text(), where=CHECK_FILE)
        assert {part.name: part.state for part in found.parts}["cameras"] == "valid"


def test_a_recordings_times_are_those_of_the_rig_that_is_asked(rig: Path) -> None:
    own, _ = read_rig(rig.read_text(), where="rig")
    assert own.thermal is not None
    clocked = replace(own.thermal, rgb_minus_thermal_s=-0.31, clock=StreamClock(0.0, 0.001, 1e-4, 1e-5, 7.0))
    one, other = own, replace(own, thermal=clocked)
    picture = ThermalPicture(5.31, np.zeros((2, 2), np.uint16), False)
    capture = Capture(6.0, 0, None, (picture,), (), 0.0, False)
    there = retimed(capture, then=None, now=other)
    assert there.thermal[0].t_s == pytest.approx(5.0 + 1e-4 * (5.0 - 7.0))
    back = retimed(there, then=other, now=one)
    assert back.thermal[0].t_s == pytest.approx(5.31 + one.thermal.rgb_minus_thermal_s)  # pyright: ignore[reportOptionalMemberAccess]


def test_gas_that_a_switch_told_is_a_burst_and_its_late_end_is_taken_off(tmp_path: Path) -> None:
    """The switch is believed 0.1 s after it has ended."""
    gas_s = ((1.0, 3.6),)
    recording = filmed(
        tmp_path / "burst.mcap",
        colour=[(k / 15.0, np.zeros((24, 32, 3), np.uint8)) for k in range(75)],
        gas=lambda a, b: (flow_s(gas_s, a, b), any(on <= b < off for on, off in gas_s)),
        device="co2",
        gas_off_after_s=0.1,
    )
    (found,) = gas_times(recording)
    assert found == pytest.approx((1.0, 3.5))
    assert recording.treatment.device == "co2"


def test_what_a_recording_lacks_is_one_sentence(
    tmp_path: Path, rig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    colour = [(k / 10.0, np.zeros((24, 32, 3), np.uint8)) for k in range(30)]
    dark = str(filmed(tmp_path / "dark.mcap", colour=colour).path)
    warm = [(k / 10.0, np.full((24, 32), 30000, np.uint16), False) for k in range(30)]
    blind = str(filmed(tmp_path / "blind.mcap", thermal=warm).path)
    board = ["--board", "tags:3x4:DICT_APRILTAG_36h11:200:40:16"]
    for words, told in (
        (["rgb", blind], "holds no colour pictures"),
        (["rgb", dark], "shows no board that is held still"),
        (["thermal", dark, *board], "holds no thermal pictures"),
        (["thermal", str(tmp_path), *board], "is no recording"),
        (["spread", dark, "--rig", str(rig)], "holds no thermal pictures"),
        (["collar", blind, "--rig", str(rig)], "holds no colour pictures"),
        (["jet", dark, "--rig", str(rig)], "say it with --device"),
        (["jet", dark, "--rig", str(rig), "--device", "co2"], "no thermal or no depth stream"),
    ):
        assert main(["calibrate", *words]) == 2
        assert told in capsys.readouterr().err
    with pytest.raises(InputError, match="holds no colour"):
        turning_pictures(Path(blind))
