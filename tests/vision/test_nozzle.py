"""The nozzle's pose is right, its bound holds, and what cannot be told is not guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.camera import Camera
from models.geometry import Bytes, Floats, Pose, rotation_from_rvec, unit
from models.rig import Nozzle, Rig, Tags
from models.rig_file import read_rig
from models.sightings import Lost, NozzleSighting
from tests.vision.tag_scenes import CAMERA, collar, hidden, misplaced, picture, rig_of, wand
from vision.alignment import Aligned
from vision.fiducials import tag_body
from vision.nozzle import track_nozzle
from vision.nozzle_pose import Look, unambiguous
from vision.nozzle_track import BRIDGE_S, NozzleTrack, mean_velocity, predict, velocity
from vision.synthetic_rig import real_rig, stated_rig
from vision.synthetic_scene import Errors, Scene, Sweep
from vision.synthetic_studio import Studio
from vision.tag_poses import other_pose
from vision.video import colour_pictures, probe_video

TAGS = collar()
RIG = rig_of(TAGS)


def seen_once(bgr: Bytes, rig: Rig = RIG) -> NozzleSighting | Lost:
    return track_nozzle(NozzleTrack.start(), bgr, t_s=0.0, rig=rig)[0]


def tip_error_mm(sighting: NozzleSighting | Lost, pose: Pose) -> float:
    assert isinstance(sighting, NozzleSighting), sighting
    return float(np.linalg.norm(sighting.tip_rgb_mm - pose.translation_mm))


def some_pose(seed: int) -> Pose:
    rng = np.random.default_rng(seed)
    tip_mm = (rng.uniform(-200, 200), rng.uniform(0, 150), rng.uniform(750, 1050))
    lean_deg, roll_deg, yaw_deg = rng.uniform(20, 60), rng.uniform(0, 60), rng.uniform(-30, 30)
    return wand(tip_mm, lean_deg=lean_deg, roll_deg=roll_deg, yaw_deg=yaw_deg)


def test_the_tip_is_found_within_a_millimetre_and_the_axis_within_a_quarter_degree() -> None:
    """Measured: tip 0.07 / 0.16 mm (p50 / p95), axis 0.03 deg p95; collar at 0.75 to 1.05 m, 720p, JPEG
    90."""
    tip_mm, axis_deg = [], []
    for seed in range(16):
        pose = some_pose(seed)
        sighting = seen_once(picture([(TAGS, pose)], seed=seed))
        tip_mm.append(tip_error_mm(sighting, pose))
        assert isinstance(sighting, NozzleSighting)
        axis_deg.append(np.degrees(np.arccos(min(1.0, sighting.axis_rgb @ pose.rotation[:, 2]))))
        assert sighting.state == "tracked"
        assert sighting.tags_used >= 2
    assert np.quantile(tip_mm, 0.95) < 0.6
    assert np.quantile(axis_deg, 0.95) < 0.25


@pytest.mark.parametrize("blur_px", [0.45, 1.0, 1.5])
def test_blur_of_the_lens_does_not_bias_the_tip(blur_px: float) -> None:
    """Measured 0.05 to 0.6 mm, where corners of the same pictures give 10 mm and more."""
    pose = some_pose(5)
    assert tip_error_mm(seen_once(picture([(TAGS, pose)], blur_px=blur_px)), pose) < 1.2


@pytest.mark.parametrize("transfer", ["srgb", "linear"])
def test_the_rigs_transfer_is_undone(transfer: str) -> None:
    pose = some_pose(3)
    rig = replace(RIG, transfer=transfer)
    assert tip_error_mm(seen_once(picture([(TAGS, pose)], transfer=transfer), rig), pose) < 0.6


def test_any_square_marker_dictionary_serves() -> None:
    tags = collar(dictionary="DICT_4X4_50")
    pose = some_pose(7)
    assert tip_error_mm(seen_once(picture([(tags, pose)]), rig_of(tags)), pose) < 0.6


def test_the_bound_holds_and_grows_with_noise() -> None:
    """Told by the axis, to which intrinsics add nothing; below a noise of 5 placement of the tags rules."""
    pose = some_pose(2)
    spread = []
    for noise in (1.0, 12.0, 24.0):
        sighting = seen_once(picture([(TAGS, pose)], noise=noise, quality=None))
        assert isinstance(sighting, NozzleSighting)
        assert tip_error_mm(sighting, pose) <= sighting.tip_u95_mm
        spread.append(float(np.trace(sighting.covariance[:3, :3])))
    assert spread[0] < spread[1] < spread[2]


def test_the_bound_holds_for_misplaced_tags_and_is_wider_for_them() -> None:
    """0.15 mm of misplacement: 0.6 to 4 mm at the tip; the bound holds in at least 8 of 10 collars."""
    held, exact_u95, wide_u95 = 0, [], []
    for seed in range(10):
        pose = some_pose(seed)
        bgr = picture([(TAGS, pose)], seed=seed)
        wrong = rig_of(misplaced(TAGS, sigma_mm=0.15, seed=seed))
        sighting, right = seen_once(bgr, wrong), seen_once(bgr)
        assert isinstance(sighting, NozzleSighting)
        assert isinstance(right, NozzleSighting)
        held += tip_error_mm(sighting, pose) <= sighting.tip_u95_mm
        exact_u95.append(right.tip_u95_mm)
        wide_u95.append(sighting.tip_u95_mm)
    assert held >= 8
    assert np.median(wide_u95) > 1.15 * np.median(exact_u95)


def test_a_focal_length_wrong_by_a_quarter_per_cent_stays_within_the_bound() -> None:
    pose = some_pose(1)
    off = 1.0025
    camera = replace(CAMERA, fx_px=CAMERA.fx_px * off, fy_px=CAMERA.fy_px * off)
    sighting = seen_once(picture([(TAGS, pose)]), rig_of(TAGS, camera=camera))
    assert isinstance(sighting, NozzleSighting)
    assert 0.5 < tip_error_mm(sighting, pose) <= sighting.tip_u95_mm


def test_a_hand_over_a_third_of_the_collar_costs_little() -> None:
    """Measured 0.1 to 0.9 mm; tags under the hand are not counted."""
    for seed in (0, 4, 9):
        pose = some_pose(seed)
        bgr = picture([(TAGS, pose)], seed=seed)
        free, covered = seen_once(bgr), seen_once(hidden(bgr, pose, TAGS, share=0.33))
        assert isinstance(covered, NozzleSighting)
        assert isinstance(free, NozzleSighting)
        assert tip_error_mm(covered, pose) < 2.5
        assert tip_error_mm(covered, pose) <= covered.tip_u95_mm
        assert covered.tags_used <= free.tags_used


@pytest.mark.parametrize("share", [0.45, 0.6, 0.75])
def test_tags_that_are_partly_hidden_do_not_turn_the_pose_into_its_mirror_image(share: float) -> None:
    """One face left, cut by the edge of a hand: given or not, but never 50 mm off (measured up to 3 mm)."""
    given = 0
    for seed in range(10, 16):
        pose = some_pose(seed)
        bgr = hidden(picture([(TAGS, pose)], seed=seed), pose, TAGS, share=share)
        sighting = seen_once(bgr)
        if isinstance(sighting, NozzleSighting):
            given += 1
            assert tip_error_mm(sighting, pose) < 8.0
    assert given >= 1


def sweep(t_s: float) -> Pose:
    """A wand that sweeps 60 mm to and fro at 0.5 Hz."""
    x_mm = 60.0 * np.sin(np.pi * t_s)
    return wand((x_mm, 60.0, 900.0), lean_deg=40.0 + 4.0 * np.sin(3.0 * t_s), roll_deg=10.0)


def test_a_covered_nozzle_is_predicted_for_150_ms_then_lost_then_found_again() -> None:
    track, states = NozzleTrack.start(), []
    for k in range(18):
        t_s = k / 20.0
        bgr = picture([(TAGS, sweep(t_s))], seed=k)
        if 5 <= k < 12:
            bgr = hidden(bgr, sweep(t_s), TAGS, share=1.0)
        sighting, track = track_nozzle(track, bgr, t_s=t_s, rig=RIG)
        states.append(sighting.state)
        if isinstance(sighting, NozzleSighting):
            assert tip_error_mm(sighting, sweep(t_s)) <= sighting.tip_u95_mm
        else:
            assert sighting.since_s == pytest.approx(0.25)
    assert states == ["tracked"] * 5 + ["predicted"] * 3 + ["lost"] * 4 + ["tracked"] * 6


def test_ticks_without_a_picture_are_bridged_no_longer_either() -> None:
    _, track = track_nozzle(NozzleTrack.start(), picture([(TAGS, sweep(0.0))]), t_s=0.0, rig=RIG)
    bounds_mm = []
    for t_s in (0.05, 0.10, 0.15):
        sighting, track = track_nozzle(track, None, t_s=t_s, rig=RIG)
        assert isinstance(sighting, NozzleSighting)
        assert sighting.state == "predicted"
        bounds_mm.append(sighting.tip_u95_mm)
    assert bounds_mm == sorted(bounds_mm)
    sighting, _ = track_nozzle(track, None, t_s=BRIDGE_S + 0.01, rig=RIG)
    assert isinstance(sighting, Lost)
    assert sighting.since_s == 0.05


def test_nothing_is_found_where_no_tag_is() -> None:
    sighting = seen_once(picture([]))
    assert isinstance(sighting, Lost)
    assert sighting.state == "lost"


def test_a_jump_of_30_mm_between_pictures_is_followed() -> None:
    first, second = wand((0, 60, 900), lean_deg=40, roll_deg=10), wand((25, 75, 905), lean_deg=42, roll_deg=9)
    _, track = track_nozzle(NozzleTrack.start(), picture([(TAGS, first)]), t_s=0.0, rig=RIG)
    sighting, _ = track_nozzle(track, picture([(TAGS, second)]), t_s=1 / 15, rig=RIG)
    assert tip_error_mm(sighting, second) < 0.6


def lone_tag(count: int) -> Tags:
    """Only the tags of one face of the collar."""
    kept = [0, 6][:count]
    return Tags(TAGS.dictionary, TAGS.ids[kept], TAGS.corners_mm[kept])


def facing(tags: Tags, *, distance_mm: float, tilt_deg: float, seed: int) -> Pose:
    """The face towards the camera, tilted by an angle about some axis across the view."""
    rng = np.random.default_rng(seed)
    towards = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    about = rng.uniform(0.0, 2.0 * np.pi)
    tilt, _ = cv2.Rodrigues(np.radians(tilt_deg) * np.array([np.cos(about), np.sin(about), 0.0]))
    spin, _ = cv2.Rodrigues(np.array([0.0, 0.0, rng.uniform(-3.0, 3.0)]))
    rotation: Floats = np.asarray(tilt @ spin @ towards, float)
    centre = np.array([rng.uniform(-60, 60), rng.uniform(-40, 40), distance_mm])
    return Pose.of(rotation, centre - rotation @ tags.corners_mm.reshape(-1, 3).mean(axis=0))


def test_a_single_tag_is_tracked_only_where_its_pose_is_plain() -> None:
    """Square on at 1 m it is ambiguous more often than not; tilted by 40 degrees it is tracked.

    Wherever a pose is given, its mirror image (20 to 60 mm away at the tip) was not taken.
    """
    tags = lone_tag(1)
    rig = rig_of(tags)
    states: dict[float, list[str]] = {}
    for tilt_deg in (1.0, 40.0):
        for seed in range(8):
            pose = facing(tags, distance_mm=950.0, tilt_deg=tilt_deg, seed=seed)
            sighting = seen_once(picture([(tags, pose)], seed=seed), rig)
            states.setdefault(tilt_deg, []).append(sighting.state)
            if isinstance(sighting, NozzleSighting):
                assert tip_error_mm(sighting, pose) < 8.0
    assert states[40.0].count("tracked") >= 7
    assert states[1.0].count("ambiguous") >= 4


def test_a_face_that_turns_past_square_on_is_held_up_by_its_motion() -> None:
    """Two tags of one face, seen square on for half a second: measured 1.4 mm, its bound 25 mm there."""
    tags = lone_tag(2)
    track = NozzleTrack.start()
    states, inside = [], []
    for k, tilt_deg in enumerate(np.linspace(14.0, -14.0, 24)):
        still = facing(tags, distance_mm=950.0, tilt_deg=0.0, seed=0)
        tilt, _ = cv2.Rodrigues(np.radians(tilt_deg) * np.array([1.0, 0.0, 0.0]))
        middle = still.apply(tags.corners_mm.reshape(-1, 3)).mean(axis=0)
        pose = Pose.of(tilt @ still.rotation, tilt @ (still.translation_mm - middle) + middle)
        bgr = picture([(tags, pose)], seed=k)
        sighting, track = track_nozzle(track, bgr, t_s=k / 15.0, rig=RIG)
        states.append(sighting.state)
        if isinstance(sighting, NozzleSighting):
            inside.append(tip_error_mm(sighting, pose) <= sighting.tip_u95_mm)
    assert states.count("tracked") >= 22
    assert all(inside)


def test_the_skin_decides_between_two_poses_that_look_alike() -> None:
    """What the picture alone leaves open: the pose whose tip would be in the body is ruled out."""
    tags = lone_tag(1)
    rig = rig_of(tags)
    decided = 0
    for seed in range(12):
        pose = facing(tags, distance_mm=1000.0, tilt_deg=12.0, seed=seed)
        bgr = picture([(tags, pose)], seed=seed)
        alone = seen_once(bgr, rig)

        def room(rgb_from_nozzle: Pose, deep_mm: float = float(pose.translation_mm[2])) -> bool:
            return abs(float(rgb_from_nozzle.translation_mm[2]) - deep_mm) < 12.0

        helped, _ = track_nozzle(NozzleTrack.start(), bgr, t_s=0.0, rig=rig, possible=room)
        if isinstance(alone, Lost) and isinstance(helped, NozzleSighting):
            assert tip_error_mm(helped, pose) < 8.0
            decided += 1
    assert decided >= 3


def test_a_near_single_tag_is_never_taken_for_its_mirror_image() -> None:
    """At 0.5 m perspective tells the two apart (measured: within 2.2 mm, mirror images 15 to 60 mm away)."""
    tags = lone_tag(1)
    rig = rig_of(tags)
    for seed in range(12):
        pose = facing(tags, distance_mm=500.0, tilt_deg=(8.0, 15.0, 25.0)[seed % 3], seed=seed)
        sighting = seen_once(picture([(tags, pose)], seed=seed), rig)
        if isinstance(sighting, NozzleSighting):
            assert tip_error_mm(sighting, pose) < 4.0


@pytest.mark.parametrize("told_rig", [stated_rig, real_rig], ids=["tags as given", "tags as learned"])
@pytest.mark.parametrize(("aside_deg", "roll_deg"), [(-38.0, 35.0), (-20.0, 20.0), (60.0, 10.0)])
def test_a_nozzle_seen_almost_from_behind_is_not_taken_for_its_mirror_image(
    told_rig: Callable[[Scene], Rig], aside_deg: float, roll_deg: float
) -> None:
    """Pointing away from the camera within 15 degrees it shows one face, aslant by 72 to 77.

    Its mirror image shows the same tags less aslant, the tip 220 mm nearer to the camera, and is found first
    now and then. It stood where the true tags were too slanting to be looked at, and once they had been
    learned, a little out of their plane.
    """
    sweep = Sweep(lean_deg=15.0, aside_deg=aside_deg, roll_deg=roll_deg, distance_mm=140.0)
    scene = Scene(sweep=sweep, errors=Errors(tag_placement_mm=0.1), blur_px=0.8)
    rig, true = told_rig(scene), scene.rgb_from_nozzle(0.0)
    assert rig.nozzle is not None
    look = Look(Studio(scene).colour(0.0), tag_body(rig.nozzle.tags), rig, 0.0)
    window = look.window(true, 20.0)
    assert window is not None
    face = np.argsort(look.body.facing(true))[-2:]
    other = other_pose(true, collar().corners_mm[face], look.camera)
    assert other is not None
    mirrored = look.lay(window, other, 0.8, coarse=True)
    assert mirrored is not None, "the mirror image looks like the tags"
    assert float(np.linalg.norm(mirrored.rgb_from_body.translation_mm - true.translation_mm)) > 100.0
    pose = unambiguous(mirrored, window, look, None)
    if isinstance(pose, Aligned):
        assert float(np.linalg.norm(pose.rgb_from_body.translation_mm - true.translation_mm)) < 5.0


def test_a_picture_of_another_size_is_not_used() -> None:
    sighting = seen_once(np.zeros((480, 640, 3), np.uint8))
    assert isinstance(sighting, Lost)
    assert "size" in sighting.reason


def test_a_rig_without_nozzle_says_so() -> None:
    sighting = seen_once(picture([]), rig_of(None))
    assert isinstance(sighting, Lost)
    assert "no nozzle" in sighting.reason


def replay(folder: Path, count: int) -> tuple[Floats, Floats, Floats, list[str]]:
    """Tip errors, axis errors and bounds over the first pictures of a session with truth."""
    rig, _ = read_rig((folder / "rig.toml").read_text(), where="rig.toml")
    with np.load(folder / "truth" / "captures.npz") as archive:
        truth = {name: archive[name] for name in ("t_s", "tip_mm", "axis")}
    track, rows, states = NozzleTrack.start(), [], []
    for k, bgr in enumerate(colour_pictures(probe_video(folder / "rgb.mp4", where="rgb.mp4"))):
        if k == count:
            break
        sighting, track = track_nozzle(track, bgr, t_s=float(truth["t_s"][k]), rig=rig)
        states.append(sighting.state)
        if isinstance(sighting, NozzleSighting):
            off_mm = np.linalg.norm(sighting.tip_rgb_mm - truth["tip_mm"][k])
            off_deg = np.degrees(np.arccos(min(1.0, sighting.axis_rgb @ truth["axis"][k])))
            rows.append([off_mm, off_deg, sighting.tip_u95_mm])
    table = np.array(rows)
    return table[:, 0], table[:, 1], table[:, 2], states


def test_the_recorded_calf_session_is_tracked_throughout(calf: Path) -> None:
    """Compressed 720p video at 0.9 m. Measured: 100 % tracked, tip 0.11 / 0.37 mm, axis 0.08 deg p95, bound
    2.7."""
    tip_mm, axis_deg, u95_mm, states = replay(calf, 80)
    assert states.count("tracked") == len(states)
    assert np.quantile(tip_mm, 0.95) < 1.0
    assert np.quantile(axis_deg, 0.95) < 0.3
    assert np.mean(tip_mm <= u95_mm) >= 0.93
    assert np.median(u95_mm) < 4.0


@pytest.mark.parametrize(("name", "limit_mm"), [("s1-lumbar-ln2", 1.5), ("s2-knee-air", 0.7)])
def test_simulated_sessions_are_tracked(twin: Callable[[str], Path], name: str, limit_mm: float) -> None:
    """Measured p95 over whole sessions: s1 0.64 mm, s2 0.21 mm."""
    tip_mm, _, u95_mm, states = replay(twin(name), 60)
    assert states.count("tracked") == len(states)
    assert np.quantile(tip_mm, 0.95) < limit_mm
    assert np.mean(tip_mm <= u95_mm) >= 0.93


def test_a_real_hand_held_pointer_is_tracked_steadily(shared_data: Path) -> None:
    """Ten pictures of a webcam that sharpens and clips; flat boards, printed and measured by others.

    Measured: all pictures tracked; second differences of the tip 0.5 mm (jitter and the hand's own motion);
    residual between pointer and reference board, the tip's scatter in the board's frame, 0.6 mm (1 sigma).
    """
    folder = shared_data / "real" / "pointer_video"
    if not folder.is_dir():
        pytest.skip("needs real/pointer_video in ../shared/data, which is not here")
    k = np.loadtxt(folder / "calib.intrinsics.txt")
    lens = np.loadtxt(folder / "calib.distortion.txt")
    camera = Camera(640, 480, k[0, 0], k[1, 1], k[0, 2], k[1, 2], lens)
    tip_mm = np.loadtxt(folder / "pointer_tip.txt")

    def rig(name: str, origin_mm: Floats) -> Rig:
        table = np.loadtxt(folder / name)
        corners_mm = table[:, 4:].reshape(-1, 4, 3) - origin_mm
        tags = Tags("DICT_ARUCO_ORIGINAL", table[:, 0].astype(int), corners_mm)
        return replace(RIG, rgb=camera, rgb_rms_px=None, nozzle=Nozzle(tags, 1.0))

    pointer, board = rig("pointer.txt", tip_mm), rig("reference.txt", np.zeros(3))
    tracks = {"pointer": NozzleTrack.start(), "board": NozzleTrack.start()}
    tips_mm, on_board_mm, distance_mm = [], [], []
    for number, bgr in enumerate(colour_pictures(probe_video(folder / "multipattern.avi", where="video"))):
        assert bgr is not None
        seen: dict[str, NozzleSighting] = {}
        for name, own in (("pointer", pointer), ("board", board)):
            sighting, tracks[name] = track_nozzle(tracks[name], bgr, t_s=number / 10.0, rig=own)
            assert isinstance(sighting, NozzleSighting)
            assert sighting.state == "tracked"
            seen[name] = sighting
        tips_mm.append(seen["pointer"].tip_rgb_mm)
        on_board_mm.append(seen["board"].rgb_from_nozzle.inverse.apply(seen["pointer"].tip_rgb_mm))
        distance_mm.append(float(np.linalg.norm(seen["pointer"].centroid_rgb_mm)))
        assert seen["pointer"].tip_u95_mm < 5.0
    assert len(tips_mm) >= 10
    assert np.median(distance_mm) == pytest.approx(259.0, abs=8.0)
    jitter_mm = np.linalg.norm(np.diff(np.array(tips_mm), n=2, axis=0), axis=1) / np.sqrt(6.0)
    assert np.sqrt(np.mean(jitter_mm**2)) < 0.8
    assert np.linalg.norm(np.std(on_board_mm, axis=0)) < 1.2


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), angle_rad=st.floats(0.0, 3.0))
def test_velocity_carries_the_pose_before_on_to_the_pose_now(seed: int, angle_rad: float) -> None:
    rng = np.random.default_rng(seed)
    turn = angle_rad * unit(rng.normal(size=3))
    before = Pose.of(rotation_from_rvec(rng.normal(size=3)), rng.normal(size=3) * 200.0)
    shift, centroid = rng.normal(size=3) * 20.0, rng.normal(size=3) * 100.0
    rotation = rotation_from_rvec(turn)
    now = Pose.of(
        rotation @ before.rotation, rotation @ (before.translation_mm - centroid) + centroid + shift
    )
    track = replace(NozzleTrack.start(), seen_s=1.0, rgb_from_nozzle=before, centroid_rgb_mm=centroid)
    mean = mean_velocity(track, now, 1.1)
    assert mean is not None
    np.testing.assert_allclose(mean, np.concatenate([turn, shift]) / 0.1, atol=1e-6)
    known = replace(track, turning_rad_s=mean[:3], moving_mm_s=mean[3:])
    np.testing.assert_allclose(predict(known, 1.1)[0].matrix, now.matrix, atol=1e-6)
    assert mean_velocity(track, now, 1.0 + BRIDGE_S + 0.01) is None
    assert not velocity(track, now, 1.0 + BRIDGE_S + 0.01).any()
