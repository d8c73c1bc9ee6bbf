"""The nozzle: tags of its collar in the picture, to where the orifice is and where the gas goes.

A capture in which the nozzle was just seen is searched round the prediction only: the collar's pattern is
laid over the picture (`vision.alignment`). Where that fails, corners are looked for in a larger window, then
in the whole picture. What two poses explain equally well is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.collar import Collar, learn
from models.geometry import Bytes, Floats, Pose, frozen
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from vision.alignment import Aligned
from vision.collar import body_as_learned, collar_view, half_sides_mm
from vision.fiducials import Window, tag_body, window_of
from vision.nozzle_pose import Look, misfit_per_pixel, unambiguous
from vision.nozzle_track import (
    BRIDGE_S,
    NozzleTrack,
    expected_covariance,
    mean_velocity,
    predict,
    velocity,
)
from vision.pose_bounds import pose_covariance, pulls_on
from vision.slide import slide_px
from vision.steady import Undecided, steadied
from vision.tag_corners import find_corners
from vision.tag_picture import LEAST_SMEAR_PX
from vision.tag_poses import poses_from_corners

REACQUIRE_S = 0.5
"""Until then a nozzle out of sight is first looked for near where it was."""

REACH_MM = 30.0
"""Search this far round the prediction: at 15 pictures a second a hand that starts or stops at 1 m/s moves
the nozzle by about half of it."""

SMEAR_PX = 0.25
"""A smear foretold within this is not worth laying the collar anew."""

SHARP_PX = 1.5
"""Views smeared farther than this do not teach where the tags sit."""

WIDEST_MM = 40.0
"""A pose whose tip is not known better than this (95 %) is not told from its mirror image: not a pose."""


def track_nozzle(
    track: NozzleTrack,
    bgr: Bytes | None,
    *,
    t_s: float,
    rig: Rig,
    possible: Callable[[Pose], bool] | None = None,
) -> tuple[NozzleSighting | Lost, NozzleTrack]:
    """Find the nozzle in one picture.

    Args:
        track: What the previous call returned, or `NozzleTrack.start`.
        bgr: Picture, lens distortion still in it; None = there is none at this tick.
        t_s: Time of the picture, later than that of the previous call.
        rig: Calibration.
        possible: Whether the skin leaves room for a pose: decides between two that look alike.

    Returns:
        The sighting (``predicted`` for at most `BRIDGE_S` after the last one that was tracked), or `Lost`;
        and the track for the next call.
    """
    if rig.nozzle is None:
        return Lost("the rig has no nozzle", t_s), track
    if bgr is None:
        return _without(track, t_s, "no picture", "lost")
    if bgr.shape[:2] != (rig.rgb.height_px, rig.rgb.width_px):
        return _without(track, t_s, "the picture's size is not the rig's", "lost")
    body = track.body if track.body is not None else tag_body(rig.nozzle.tags)
    look = Look(bgr, body, rig, t_s, possible=possible)
    state, reason = "lost", "no tag in the picture"
    for attempt in (_follow, _search_near, _search_all):
        outcome = attempt(track, look)
        if isinstance(outcome, Aligned):
            sighting, after = _sighting(track, outcome, look)
            if sighting.tip_u95_mm <= WIDEST_MM:
                return sighting, after
            state, reason = "ambiguous", "the tags in sight leave the pose open"
        elif outcome is not None:
            if outcome.melted is not None and track.moved and t_s - track.seen_s <= BRIDGE_S:
                sighting, after = _square_on(track, outcome.melted, look)
                if sighting.tip_u95_mm <= WIDEST_MM:
                    return sighting, after
            state, reason = "ambiguous", outcome.reason
            break
    return _without(track, t_s, reason, state)


def _follow(track: NozzleTrack, look: Look) -> Aligned | Undecided | None:
    """Lay the collar over the picture where it should be by now."""
    dt_s = look.t_s - track.seen_s
    if dt_s > BRIDGE_S:
        return None
    expected, centroid = predict(track, look.t_s)
    start, slid = _slide(track, expected, centroid, look)
    window = look.window(start, 16.0)
    if window is None:
        return None
    open_s = track.shutter.open_s
    smear = open_s * velocity(track, start, look.t_s) if open_s > 0.0 else np.zeros(6)
    is_smeared = open_s > 0.0 and look.way_px(start, smear) > LEAST_SMEAR_PX
    smeared = replace(look, smear=smear) if is_smeared else look
    found = smeared.lay(window, start, track.blur_px, coarse=not slid)
    if found is None and slid:
        found = smeared.lay(window, start, track.blur_px, coarse=True)
    if found is None:
        return None
    if is_smeared:
        # Now that the pose is known, so is its motion, better.
        known = open_s * velocity(track, found.rgb_from_body, look.t_s)
        if look.way_px(found.rgb_from_body, known - smear) > SMEAR_PX:
            smeared = replace(look, smear=known)
            found = smeared.lay(window, found.rgb_from_body, found.blur_px) or found
    return unambiguous(found, window, smeared, expected if track.moved else None)


def _slide(track: NozzleTrack, expected: Pose, centroid: Floats, look: Look) -> tuple[Pose, bool]:
    """The expected pose, moved across to where the collar is in the picture, if it was found there."""
    if track.patch is None or centroid[2] < 1.0:
        return expected, False
    was_px, should_px = look.camera.project(np.stack([track.centroid_rgb_mm, centroid]))
    shift_px = slide_px(
        track.patch,
        look.bgr,
        expected_px=track.patch.corner_px + should_px - was_px,
        reach_px=REACH_MM * look.camera.fx_px / max(float(centroid[2]), 100.0),
    )
    if shift_px is None:
        return expected, False
    is_mm = look.camera.unproject(was_px + shift_px) * centroid[2]
    return Pose.of(expected.rotation, expected.translation_mm + is_mm - centroid), True


def _search_near(track: NozzleTrack, look: Look) -> Aligned | Undecided | None:
    if look.t_s - track.seen_s > REACQUIRE_S:
        return None
    seen_px = look.camera.project(track.rgb_from_nozzle.apply(look.body.corners_mm.reshape(-1, 3)))
    size_px = float(np.ptp(seen_px, axis=0).max()) if np.all(np.isfinite(seen_px)) else np.inf
    if size_px > 0.6 * look.camera.width_px:
        return None
    window = look.window(track.rgb_from_nozzle, 60.0 + 0.7 * size_px)
    return _search(track, look, window) if window is not None else None


def _search_all(track: NozzleTrack, look: Look) -> Aligned | Undecided | None:
    whole = window_of(
        look.bgr,
        low_px=np.zeros(2),
        high_px=np.array([look.camera.width_px, look.camera.height_px], float),
        transfer=look.rig.transfer,
    )
    return _search(track, look, whole) if whole is not None else None


def _search(track: NozzleTrack, look: Look, window: Window) -> Aligned | Undecided | None:
    corners = find_corners(window, look.body)
    hypotheses = poses_from_corners(corners, look.body, look.camera)
    laid: list[Aligned] = []
    for hypothesis in hypotheses:
        found = look.lay(window, hypothesis.rgb_from_body, track.blur_px, coarse=True)
        if found is not None:
            laid.append(found)
    if not laid:
        return None
    best = max(laid, key=lambda found: (int(found.used.sum()), -misfit_per_pixel(found)))
    return unambiguous(best, window, look, None)


def _without(
    track: NozzleTrack, t_s: float, reason: str, state: str
) -> tuple[NozzleSighting | Lost, NozzleTrack]:
    """Bridge a capture in which nothing was seen, or say that the nozzle is lost."""
    since_s = track.lost_s if np.isfinite(track.lost_s) else t_s
    after = replace(track, lost_s=since_s)
    dt_s = t_s - track.seen_s
    if dt_s > BRIDGE_S + 1e-9:
        return Lost(reason, since_s, state), after
    pose, centroid = predict(track, t_s)
    sighting = NozzleSighting(
        t_s=t_s,
        rgb_from_nozzle=pose,
        covariance=expected_covariance(track, dt_s),
        centroid_rgb_mm=centroid,
        tags_used=0,
        state="predicted",
    )
    return sighting, after


def _square_on(track: NozzleTrack, melted: Aligned, look: Look) -> tuple[NozzleSighting, NozzleTrack]:
    """A pose whose tilt the picture leaves open, held up by the motion so far."""
    sighting, after = _sighting(track, melted, look, plain=False)
    expected, _ = predict(track, look.t_s)
    spread = expected_covariance(track, look.t_s - track.seen_s)
    # The true tilt lies between that seen and its mirror image, give or take its noise.
    cosine = float(look.body.facing(melted.rgb_from_body)[melted.used].min())
    noise_rad = float(np.sqrt(np.linalg.eigvalsh(sighting.covariance[:3, :3])[-1]))
    open_rad = float(np.arccos(min(cosine, 1.0))) + noise_rad
    steady = steadied(sighting, expected, spread, body=look.body, used=melted.used, open_rad=open_rad)
    return steady, replace(
        after,
        rgb_from_nozzle=steady.rgb_from_nozzle,
        centroid_rgb_mm=steady.centroid_rgb_mm,
        covariance=steady.covariance,
    )


def _sighting(
    track: NozzleTrack, found: Aligned, look: Look, *, plain: bool = True
) -> tuple[NozzleSighting, NozzleTrack]:
    """The message, and the track; the collar learns from views that are plain and not smeared."""
    dt_s = look.t_s - track.seen_s
    mean, shutter, way_px = mean_velocity(track, found.rgb_from_body, look.t_s), track.shutter, 0.0
    moved = mean is not None
    if moved:
        speed_px_s = look.way_px(found.rgb_from_body, velocity(track, found.rgb_from_body, look.t_s))
        way_px = shutter.open_s * speed_px_s
        shutter = shutter.seen(
            blur_px=found.blur_px, speed_px_s=speed_px_s, taken_s=track.shutter.open_s, dt_s=dt_s
        )
    pulls = pulls_on(found)
    view = collar_view(found, look.body, inverse=pulls.inverse, inflation=pulls.inflation)
    collar = track.collar
    if collar is None:
        placed_mm = look.rig.nozzle_errors.tag_sigma_mm
        collar = Collar.as_given(half_sides_mm(look.body), placed_mm=placed_mm)
    body = track.body
    if plain and way_px <= SHARP_PX:
        learned = learn(collar, view.information, view.pull, found.used)
        if learned.rests_on > collar.rests_on and look.rig.nozzle is not None:
            body = body_as_learned(tag_body(look.rig.nozzle.tags), learned)
            found = found.moved(view.pose_by_motion @ (learned.motion - collar.motion))
        collar = learned
    covariance = pose_covariance(
        found, pulls, look.rig, pose_by_motion=view.pose_by_motion, collar=collar.covariance
    )
    sighting = NozzleSighting(
        t_s=look.t_s,
        rgb_from_nozzle=found.rgb_from_body,
        covariance=covariance,
        centroid_rgb_mm=found.centroid_rgb_mm,
        tags_used=int(found.used.sum()),
        state="tracked",
    )
    return sighting, NozzleTrack(
        seen_s=look.t_s,
        lost_s=np.nan,
        rgb_from_nozzle=found.rgb_from_body,
        centroid_rgb_mm=frozen(found.centroid_rgb_mm),
        covariance=frozen(covariance),
        turning_rad_s=frozen(mean[:3] if mean is not None else np.zeros(3)),
        moving_mm_s=frozen(mean[3:] if mean is not None else np.zeros(3)),
        moved=moved,
        shutter=shutter,
        blur_px=0.8 * track.blur_px + 0.2 * found.blur_px,
        collar=collar,
        body=body,
        patch=look.patch(found.rgb_from_body),
    )
