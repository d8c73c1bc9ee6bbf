"""Follow the body: how the chart has moved since it was laid, with a bound.

Three witnesses feed one small least-squares problem for a rigid motion, as a Kalman update does:
the colour picture at the chart's own cells (along the skin), depth pictures (along the normal) and
skin tags (all directions). Cells that the nozzle hides, or that changed for another reason, drop out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.capture import DepthPicture
from models.chart import ZoneChart
from models.geometry import Bytes, Floats, Pose, cross_matrix, tukey
from models.rig import Rig
from models.sightings import BodyMotion, NozzleSighting, TagPatch
from vision.follow_depth import FEWEST_CELLS, depth_equations, surprise_mm
from vision.followed import BodyTrack
from vision.likeness import (
    MOST_CELLS,
    Look,
    grey_rows,
    likeness_of,
    look_at,
    matched,
    search,
)
from vision.small_motion import motion_between, moved

DRIFT_MM_S = 1.5
"""1-sigma speed beyond what the motion so far foretells."""

SWAY_MM2_S3 = 40.0
"""How fast the speed itself wanders: breathing of 3 mm at 0.27 Hz changes it by 4-5 mm/s within half a
second."""

SWAY_S = 1.0
"""Time constant with which a speed that is not seen any more is forgotten: a quarter of a breath."""

TURN_RAD_S = 0.01

JUMP_MM = 12.0
"""Motion between two captures, or within half a second, that is called a shift of the patient."""

JUMP_WINDOW_S = 0.5

SHARED_CELLS = 20.0
"""Grey residuals of neighbouring cells are not independent (shading, compression blocks): this many count as
one."""

SCALE_SIGMA = 0.003
"""Change of the skin's size in the picture that is not its distance: a breath stretches skin."""

MATCH_LOST = 0.55
"""Share of visible cells that must still look as they did; below it the body is not followed in that
picture."""

MATCH_SURE = 0.8
"""Above it the fine picture alone is used: the body has not gone farther than it can tell. Below it a sudden
shift is looked for."""

MATCH_BETTER = 0.1
"""A sudden shift is believed where this much more of the skin then looks as it did."""


@dataclass(frozen=True, eq=False)
class Witness:
    """What this capture says about the body."""

    bgr: Bytes | None
    depth: DepthPicture | None
    patches: Sequence[TagPatch]
    nozzle: NozzleSighting | None
    motion: BodyMotion | None = None
    """How the body was found to have moved when this was recorded: taken as it is."""


def begin(chart: ZoneChart, witness: Witness, *, rig: Rig, t_s: float) -> BodyTrack:
    """Start to follow a chart that has just been laid, on skin as it was at its reference time."""
    covariance = np.diag([1e-6] * 3 + [0.25] * 3 + [25.0] * 3)
    start_s = min(chart.reference_t_s, t_s)
    track = replace(BodyTrack.at_rest(start_s, covariance), followed_s=t_s, in_colour_s=t_s)
    return _remember(_predicted(track, t_s), chart, witness, rig)


def follow(track: BodyTrack, chart: ZoneChart, witness: Witness, *, rig: Rig, t_s: float) -> BodyTrack:
    """One step: predict with growing bounds, then correct with what was seen."""
    if (known := witness.motion) is not None:
        return _settle(
            replace(track, t_s=t_s),
            chart,
            known.rgb_from_chart,
            known.velocity_mm_s,
            known.covariance,
            known.matched,
            followed=known.followed_s == t_s,
            in_colour=known.seen_in_colour_s == t_s,
        )
    track = _predicted(track, t_s)
    track = _remember(track, chart, witness, rig)
    pose, prior_covariance, match, look = track.rgb_from_chart, track.covariance, np.nan, None
    if witness.bgr is not None and track.likeness is not None:
        look = look_at(chart, track.likeness, witness.bgr, witness.nozzle, rig, pose)
        match = matched(chart, track.likeness, look, pose)
        if match < MATCH_SURE:
            there = search(chart, track.likeness, look, pose)
            if matched(chart, track.likeness, look, there) > match + MATCH_BETTER:
                # The body has shifted: where to is known as well as a coarse pixel tells, how fast is not.
                pose, prior_covariance = there, prior_covariance + np.diag([1e-3] * 3 + [400.0] * 6)
                look = look_at(chart, track.likeness, witness.bgr, witness.nozzle, rig, pose)
                match = matched(chart, track.likeness, look, pose)
    if witness.depth is not None:
        place_mm2 = track.covariance[3:6, 3:6]
        shift_mm = surprise_mm(chart, witness.depth, witness.nozzle, rig, pose, place_mm2)
        if shift_mm.any():
            pose = Pose.of(pose.rotation, pose.translation_mm + shift_mm)
            spread = np.diag([1e-3] * 3 + [float(shift_mm @ shift_mm)] * 3 + [400.0] * 3)
            prior_covariance = prior_covariance + spread
    prior: Floats = np.linalg.inv(prior_covariance).astype(np.float64)
    use = look if match >= MATCH_LOST else None
    widths = (1, 1) if match >= MATCH_SURE else (0, 0, 1, 1)
    start, velocity = pose, track.velocity_mm_s
    information, followed, in_colour = prior, False, False
    for width in widths:
        seen, gradient, followed, in_colour = _normal_equations(
            track, chart, witness, rig, pose, velocity, look=use, width=width
        )
        information = prior + seen
        back = motion_between(pose, start, centre_mm=chart.centre_mm)
        right = prior @ np.concatenate([back, track.velocity_mm_s - velocity])
        right += gradient
        move: Floats = np.linalg.solve(information, right).astype(np.float64)
        pose, velocity = moved(pose, move[:6], centre_mm=chart.centre_mm), velocity + move[6:]
    return _settle(
        track,
        chart,
        pose,
        velocity,
        np.linalg.inv(information).astype(np.float64),
        match,
        followed=followed,
        in_colour=in_colour,
    )


def relaid(track: BodyTrack, before: ZoneChart, after: ZoneChart, witness: Witness, *, rig: Rig) -> BodyTrack:
    """Go on following with other cells in the same frame: the operator has changed the zone.

    Args:
        track: As it followed the cells before, in this capture.
        before: Those cells.
        after: The new ones.
        witness: Of this capture.
        rig: Its cameras.
    """
    if witness.motion is not None:
        covariance = witness.motion.covariance  # it was recorded after the change
    else:
        onward = np.eye(9)
        onward[3:6, :3] = -cross_matrix(track.rgb_from_chart.rotate(after.centre_mm - before.centre_mm))
        covariance = onward @ track.covariance @ onward.T
    track = replace(track, covariance=covariance, likeness=None, recent_mm=(), jump_mm=0.0)
    return _remember(track, after, witness, rig)


def _predicted(track: BodyTrack, t_s: float) -> BodyTrack:
    """Go on with the last speed, which fades; bounds grow."""
    dt_s = t_s - track.t_s
    fade = float(np.exp(-dt_s / SWAY_S))
    gone = SWAY_S * (1.0 - fade)
    onward = np.eye(9)
    onward[3:6, 6:9] = gone * np.eye(3)
    onward[6:9, 6:9] = fade * np.eye(3)
    drift = np.zeros((9, 9))
    drift[:3, :3] = TURN_RAD_S**2 * dt_s * np.eye(3)
    drift[3:6, 3:6] = (DRIFT_MM_S**2 * dt_s + SWAY_MM2_S3 * dt_s**3 / 3.0) * np.eye(3)
    drift[3:6, 6:9] = drift[6:9, 3:6] = SWAY_MM2_S3 * dt_s**2 / 2.0 * np.eye(3)
    drift[6:9, 6:9] = SWAY_MM2_S3 * dt_s * np.eye(3)
    pose = track.rgb_from_chart
    return replace(
        track,
        t_s=t_s,
        rgb_from_chart=Pose.of(pose.rotation, pose.translation_mm + gone * track.velocity_mm_s),
        velocity_mm_s=fade * track.velocity_mm_s,
        covariance=onward @ track.covariance @ onward.T + drift,
        matched=np.nan,
    )


def _settle(
    track: BodyTrack,
    chart: ZoneChart,
    pose: Pose,
    velocity_mm_s: Floats,
    covariance: Floats,
    matched: float,
    *,
    followed: bool,
    in_colour: bool,
) -> BodyTrack:
    """Take over the corrected pose and note how far the body went within half a second."""
    centre = chart.centre_mm
    shift = pose.apply(centre) - centre
    recent = tuple((t, d) for t, d in track.recent_mm if track.t_s - t <= JUMP_WINDOW_S)
    jump = max((float(np.linalg.norm(shift - d)) for _, d in recent), default=0.0)
    return replace(
        track,
        rgb_from_chart=pose,
        # A shift of the patient is no speed that goes on.
        velocity_mm_s=velocity_mm_s if jump < JUMP_MM else np.zeros(3),
        covariance=covariance,
        recent_mm=(*recent, (track.t_s, shift)),
        jump_mm=jump,
        matched=matched,
        followed_s=track.t_s if followed else track.followed_s,
        in_colour_s=track.t_s if in_colour else track.in_colour_s,
    )


def _normal_equations(
    track: BodyTrack,
    chart: ZoneChart,
    witness: Witness,
    rig: Rig,
    pose: Pose,
    velocity_mm_s: Floats,
    *,
    look: Look | None,
    width: int,
) -> tuple[Floats, Floats, bool, bool]:
    """Information (9, 9) and gradient (9,) at a pose and a velocity; whether it was seen, and in colour."""
    information, gradient, in_colour, in_depth = np.zeros((9, 9)), np.zeros(9), False, False
    centre = pose.apply(chart.centre_mm)
    if look is not None and track.likeness is not None:
        rows, residual, sigma = grey_rows(chart, track.likeness, look, pose, centre, width)
        if len(residual) >= FEWEST_CELLS:
            share = SHARED_CELLS * max(1.0, len(look.cells) / MOST_CELLS)
            weight = tukey(residual / sigma) / (sigma**2 * share)
            seen, pull = rows.T @ (rows * weight[:, None]), rows.T @ (residual * weight)
            information[:6, :6], gradient[:6] = _without_scale(seen, pull, centre)
            in_colour = True
    if witness.depth is not None:
        told = depth_equations(chart, witness.depth, witness.nozzle, rig, pose, velocity_mm_s, t_s=track.t_s)
        if told is not None:
            information, gradient, in_depth = information + told[0], gradient + told[1], True
    known = dict(track.tags_chart_mm)
    for patch in witness.patches:
        if patch.tag not in known:
            continue
        here = pose.apply(known[patch.tag])
        residual = patch.rgb_from_tag.translation_mm - here
        rows = np.hstack([-cross_matrix(here - centre), np.eye(3)])
        sigma = max(patch.position_u95_mm / 2.0, 0.5)
        weight = tukey(np.array([float(np.linalg.norm(residual)) / (10.0 * sigma)]))[0] / sigma**2
        information[:6, :6] += weight * rows.T @ rows
        gradient[:6] += weight * rows.T @ residual
        in_colour = True
    return information, gradient, in_colour or in_depth, in_colour


def _without_scale(information: Floats, gradient: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Leave out what a picture says of its own scale: skin stretches, and 3 mm of distance are 0.3 % of it.

    The scale is solved out as a quantity of its own, known beforehand to `SCALE_SIGMA`; what is left says
    little of the motion along the line of sight.
    """
    away = np.concatenate([np.zeros(3), centre * SCALE_SIGMA])
    along = information @ away
    share = along / (1.0 + float(away @ along))
    return information - np.outer(along, share), gradient - share * float(away @ gradient)


def _remember(track: BodyTrack, chart: ZoneChart, witness: Witness, rig: Rig) -> BodyTrack:
    """Note how the skin looks and where its tags are, the first time they are seen."""
    if track.likeness is None and witness.bgr is not None:
        likeness = likeness_of(chart, witness.bgr, witness.nozzle, rig, track.rgb_from_chart)
        if likeness.seen.sum() >= FEWEST_CELLS:
            track = replace(track, likeness=likeness)
    known = dict(track.tags_chart_mm)
    new = [
        (patch.tag, track.rgb_from_chart.inverse.apply(patch.rgb_from_tag.translation_mm))
        for patch in witness.patches
        if patch.tag not in known
    ]
    return replace(track, tags_chart_mm=(*track.tags_chart_mm, *new)) if new else track
