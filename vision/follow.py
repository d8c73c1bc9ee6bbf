"""Follow the body: how the chart has moved since it was laid, with a bound.

Three witnesses feed one small least-squares problem for a rigid motion, as a Kalman update does:
the colour picture at the chart's own cells (along the skin), depth pictures (along the normal) and
skin tags (all directions). Cells that the nozzle hides, or that changed for another reason, drop out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from models.camera import Camera
from models.capture import DepthPicture
from models.chart import PlacedChart, ZoneChart
from models.geometry import Bools, Bytes, Floats, Pose, rotation_from_rvec
from models.occlusion import NozzleShape
from models.rig import Rig
from models.sightings import NozzleSighting, TagPatch

WIDTHS_PX = (160, 320)
"""Picture widths of the two steps, coarse to fine: one chart cell is about one pixel in the finer."""

DRIFT_MM_S = 6.0
"""1-sigma speed at which a resting body may move: breathing lifts a back by 3 mm in 1 s; drift is slower."""

TURN_RAD_S = 0.01

JUMP_MM = 12.0
"""Motion between two captures, or within half a second, that is called a shift of the patient."""

JUMP_WINDOW_S = 0.5

GREY_SIGMA = 3.0
"""Least spread of grey levels between two pictures of the same skin: noise and compression, measured 1.5-2.5."""

SHARED_CELLS = 40.0
"""Grey residuals of neighbouring cells are not independent (shading, compression blocks): this many count as one."""

DEPTH_SIGMA_MM = 3.0
SHARED_DEPTH = 60.0

MATCH_LOST = 0.55
"""Share of visible cells that must still look as they did; below it the body is not followed in that picture."""

HELD_LOST_MM = 40.0
"""Held this uncertain, the zone is lost: a third of the smallest zone's size."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """How the skin looked at the cells when the chart was laid, once per step width."""

    grey: tuple[Floats, ...]
    """Grey level per cell, each of shape (n,)."""
    seen: Bools
    """Cells that were visible then."""


@dataclass(frozen=True, eq=False)
class BodyTrack:
    """Where the chart is now, and what is needed to follow it."""

    t_s: float
    rgb_from_chart: Pose
    covariance: Floats
    """6x6 (rotation vector, translation) about the chart's centre, rgb frame."""
    likeness: Likeness | None
    tags_chart_mm: tuple[tuple[int, Floats], ...]
    """Skin tags' centres in the chart frame, once seen."""
    recent_mm: tuple[tuple[float, Floats], ...]
    """(time, displacement of the chart's centre) over the last half second."""
    jump_mm: float
    """Largest motion of the centre within half a second."""
    matched: float
    """Share of visible cells that look as they did; NaN where the picture did not count."""
    followed_s: float
    """When the chart was last really followed."""

    @property
    def state(self) -> str:
        """``placed`` where followed in this capture, else ``held`` or ``lost``."""
        if self.t_s - self.followed_s <= 0.15:
            return "placed"
        return "lost" if self.u95_mm > HELD_LOST_MM else "held"

    @property
    def u95_mm(self) -> float:
        """95 % bound of the motion since the reference time."""
        return float(2.0 * np.sqrt(np.linalg.eigvalsh(self.covariance[3:, 3:]).max()))

    def placed(self, chart: ZoneChart) -> PlacedChart:
        """The chart where it is now."""
        return PlacedChart(chart, self.rgb_from_chart, self.state, self.u95_mm)


@dataclass(frozen=True, eq=False)
class Witness:
    """What this capture says about the body."""

    bgr: Bytes | None
    depth: DepthPicture | None
    patches: Sequence[TagPatch]
    nozzle: NozzleSighting | None


def begin(chart: ZoneChart, witness: Witness, *, rig: Rig, t_s: float) -> BodyTrack:
    """Start to follow a chart that has just been laid."""
    covariance = np.diag([1e-6, 1e-6, 1e-6, 0.25, 0.25, 0.25])
    track = BodyTrack(t_s, Pose.identity(), covariance, None, (), (), 0.0, np.nan, t_s)
    return _remember(track, chart, witness, rig)


def follow(track: BodyTrack, chart: ZoneChart, witness: Witness, *, rig: Rig, t_s: float) -> BodyTrack:
    """One step: predict with growing bounds, then correct with what was seen."""
    dt_s = t_s - track.t_s
    drift = np.diag([TURN_RAD_S**2] * 3 + [DRIFT_MM_S**2] * 3) * dt_s
    track = replace(track, t_s=t_s, covariance=track.covariance + drift, matched=np.nan)
    track = _remember(track, chart, witness, rig)
    pose, matched = track.rgb_from_chart, np.nan
    if witness.bgr is not None and track.likeness is not None:
        matched = _matched(chart, track.likeness, witness, rig, pose)
        if matched < MATCH_LOST:
            pose = _search(chart, track.likeness, witness, rig, pose)
            matched = _matched(chart, track.likeness, witness, rig, pose)
    moved = pose is not track.rgb_from_chart
    prior = np.linalg.inv(track.covariance + (np.diag([1e-3] * 3 + [400.0] * 3) if moved else 0.0))
    start, information, evidence = pose, prior, 0.0
    grey = None if not matched >= MATCH_LOST else track.likeness
    for width in range(len(WIDTHS_PX)):
        for _ in range(2):
            information, gradient, evidence = _normal_equations(
                track, chart, witness, rig, pose, grey=grey, width=width
            )
            information = information + prior
            gradient = gradient + prior @ _difference(start, pose, chart)
            pose = _moved(pose, np.linalg.solve(information, gradient), chart)
    return _settle(track, chart, pose, np.linalg.inv(information), matched, evidence)


def _settle(
    track: BodyTrack, chart: ZoneChart, pose: Pose, covariance: Floats, matched: float, evidence: float
) -> BodyTrack:
    """Take over the corrected pose and note how far the body went within half a second."""
    shift = pose.apply(chart.centre_mm) - chart.centre_mm
    recent = tuple((t, d) for t, d in track.recent_mm if track.t_s - t <= JUMP_WINDOW_S)
    jump = max((float(np.linalg.norm(shift - d)) for _, d in recent), default=0.0)
    return replace(
        track,
        rgb_from_chart=pose,
        covariance=covariance,
        recent_mm=(*recent, (track.t_s, shift)),
        jump_mm=jump,
        matched=matched,
        followed_s=track.t_s if evidence > 0.0 else track.followed_s,
    )


def _normal_equations(
    track: BodyTrack,
    chart: ZoneChart,
    witness: Witness,
    rig: Rig,
    pose: Pose,
    *,
    grey: Likeness | None,
    width: int,
) -> tuple[Floats, Floats, float]:
    """Information, gradient and number of witnesses at a pose."""
    information, gradient, evidence = np.zeros((6, 6)), np.zeros(6), 0.0
    centre = pose.apply(chart.centre_mm)
    if grey is not None and witness.bgr is not None:
        rows, residual, sigma = _grey_rows(chart, grey, witness, rig, pose, centre, width)
        if len(residual) > 100:
            weight = _tukey(residual / sigma) / (sigma**2 * SHARED_CELLS)
            information += rows.T @ (rows * weight[:, None])
            gradient += rows.T @ (residual * weight)
            evidence += 1.0
    if witness.depth is not None and rig.depth is not None:
        rows, residual = _depth_rows(chart, witness, rig, pose, centre)
        if len(residual) > 100:
            weight = _tukey(residual / DEPTH_SIGMA_MM) / (DEPTH_SIGMA_MM**2 * SHARED_DEPTH)
            information += rows.T @ (rows * weight[:, None])
            gradient += rows.T @ (residual * weight)
            evidence += 1.0
    known = dict(track.tags_chart_mm)
    for patch in witness.patches:
        if patch.tag not in known:
            continue
        here = pose.apply(known[patch.tag])
        residual = patch.rgb_from_tag.translation_mm - here
        rows = np.hstack([-_cross(here - centre), np.eye(3)])
        sigma = max(patch.position_u95_mm / 2.0, 0.5)
        weight = _tukey(np.full(1, np.linalg.norm(residual) / (10.0 * sigma)))[0] / sigma**2
        information += weight * rows.T @ rows
        gradient += weight * rows.T @ residual
        evidence += 1.0
    return information, gradient, evidence


def _grey_rows(
    chart: ZoneChart, likeness: Likeness, witness: Witness, rig: Rig, pose: Pose, centre: Floats, width: int
) -> tuple[Floats, Floats, float]:
    """Jacobian (m, 6) and residuals (m,) of the grey levels at the visible cells."""
    picture, camera = _small(witness.bgr, rig.rgb, WIDTHS_PX[width])
    points = pose.apply(chart.position_mm)
    seen = likeness.seen & _visible(points, pose.rotate(chart.normal), witness, rig, margin_mm=25.0)
    points, px = points[seen], camera.project(points[seen])
    inside = camera.inside(px, 2.0)
    points, px = points[inside], px[inside]
    then = likeness.grey[width][seen][inside]
    slope_x = _read(picture, px + [0.5, 0.0]) - _read(picture, px - [0.5, 0.0])
    slope_y = _read(picture, px + [0.0, 0.5]) - _read(picture, px - [0.0, 0.5])
    now = _read(picture, px)
    residual = then - now
    residual -= np.median(residual) if len(residual) else 0.0
    x, y, z = points.T
    along_x, along_y = slope_x * camera.fx_px / z, slope_y * camera.fy_px / z
    by_point = np.stack([along_x, along_y, -(along_x * x + along_y * y) / z], axis=1)
    rows = np.hstack([np.cross(points - centre, by_point), by_point])
    sigma = max(GREY_SIGMA, 1.4826 * float(np.median(np.abs(residual)))) if len(residual) else GREY_SIGMA
    return rows, residual, sigma


def _depth_rows(
    chart: ZoneChart, witness: Witness, rig: Rig, pose: Pose, centre: Floats
) -> tuple[Floats, Floats]:
    """Jacobian (m, 6) and residuals (m,) along the normals at cells that a depth picture shows."""
    assert rig.depth is not None  # noqa: S101 - asked by the caller
    assert witness.depth is not None  # noqa: S101
    depth_from_rgb, camera = rig.depth.depth_from_rgb, rig.depth.camera
    points, normals = pose.apply(chart.position_mm), pose.rotate(chart.normal)
    seen = _visible(points, normals, witness, rig, margin_mm=25.0)
    points, normals = points[seen], normals[seen]
    there = depth_from_rgb.apply(points)
    px = camera.project(there)
    inside = camera.inside(px, 1.0)
    points, normals, there, px = points[inside], normals[inside], there[inside], px[inside]
    read_mm = witness.depth.depth_mm[np.rint(px[:, 1]).astype(int), np.rint(px[:, 0]).astype(int)].astype(float)
    rays = there / there[:, 2:]
    off = (read_mm - there[:, 2]) * (depth_from_rgb.rotate(normals) * rays).sum(1)
    good = (read_mm > 0) & (np.abs(off) < 40.0)
    rows = np.hstack([np.cross(points - centre, normals), normals])[good]
    return rows, off[good]


def _visible(
    points: Floats, normals: Floats, witness: Witness, rig: Rig, *, margin_mm: float
) -> Bools:
    """Cells that face the colour camera and are not behind nozzle or hand."""
    facing = -(points * normals).sum(1) > 0.2 * np.linalg.norm(points, axis=1)
    if witness.nozzle is None or rig.nozzle is None:
        return facing
    shape = NozzleShape.of(rig.nozzle)
    nozzle = witness.nozzle
    hidden = shape.hides(
        points,
        viewpoint_mm=np.zeros(3),
        tip_mm=nozzle.tip_rgb_mm,
        axis=nozzle.axis_rgb,
        margin_mm=margin_mm,
    )
    return facing & ~hidden


def _remember(track: BodyTrack, chart: ZoneChart, witness: Witness, rig: Rig) -> BodyTrack:
    """Note how the skin looks and where its tags are, the first time they are seen."""
    if track.likeness is None and witness.bgr is not None:
        points = track.rgb_from_chart.apply(chart.position_mm)
        seen = _visible(points, track.rgb_from_chart.rotate(chart.normal), witness, rig, margin_mm=25.0)
        grey = []
        for width in WIDTHS_PX:
            picture, camera = _small(witness.bgr, rig.rgb, width)
            px = camera.project(points)
            seen &= camera.inside(px, 1.0)
            grey.append(_read(picture, px))
        track = replace(track, likeness=Likeness(tuple(grey), seen))
    known = dict(track.tags_chart_mm)
    new = [
        (patch.tag, track.rgb_from_chart.inverse.apply(patch.rgb_from_tag.translation_mm))
        for patch in witness.patches
        if patch.tag not in known
    ]
    return replace(track, tags_chart_mm=(*track.tags_chart_mm, *new)) if new else track


def _matched(chart: ZoneChart, likeness: Likeness, witness: Witness, rig: Rig, pose: Pose) -> float:
    """Share of visible cells that look as they did, at the coarse width; NaN where too few are visible."""
    picture, camera = _small(witness.bgr, rig.rgb, WIDTHS_PX[0])
    points = pose.apply(chart.position_mm)
    seen = likeness.seen & _visible(points, pose.rotate(chart.normal), witness, rig, margin_mm=25.0)
    px = camera.project(points[seen])
    off = _read(picture, px) - likeness.grey[0][seen]
    return float(np.mean(np.abs(off - np.median(off)) < 12.0)) if len(off) > 50 else np.nan


def _search(chart: ZoneChart, likeness: Likeness, witness: Witness, rig: Rig, pose: Pose) -> Pose:
    """Try shifts of up to about 100 mm across the picture and take the one that looks most alike."""
    picture, camera = _small(witness.bgr, rig.rgb, WIDTHS_PX[0])
    points = pose.apply(chart.position_mm)
    seen = np.flatnonzero(likeness.seen & _visible(points, pose.rotate(chart.normal), witness, rig, margin_mm=25.0))
    seen = seen[:: max(1, len(seen) // 800)]
    if len(seen) < 50:
        return pose
    px, then = camera.project(points[seen]), likeness.grey[0][seen]
    depth_mm = float(np.median(points[seen, 2]))
    reach = int(np.ceil(100.0 * camera.fx_px / depth_mm))
    best, best_cost = (0, 0), np.inf
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            off = _read(picture, px + [dx, dy]) - then
            cost = float(np.mean(np.minimum(np.abs(off - np.median(off)), 30.0))) + 0.02 * np.hypot(dx, dy)
            if cost < best_cost:
                best, best_cost = (dx, dy), cost
    shift = np.array([best[0] * depth_mm / camera.fx_px, best[1] * depth_mm / camera.fy_px, 0.0])
    return Pose.of(pose.rotation, pose.translation_mm + shift)


def _small(bgr: Bytes | None, camera: Camera, width_px: int) -> tuple[Floats, Camera]:
    """Grey picture of a width, and the camera that would have taken it."""
    assert bgr is not None  # noqa: S101 - asked by the callers
    scale = width_px / camera.width_px
    height_px = round(camera.height_px * scale)
    small = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (width_px, height_px), interpolation=cv2.INTER_AREA)
    shrunk = Camera(
        width_px,
        height_px,
        camera.fx_px * scale,
        camera.fy_px * scale,
        (camera.cx_px + 0.5) * scale - 0.5,
        (camera.cy_px + 0.5) * scale - 0.5,
        camera.distortion,
    )
    return small.astype(np.float32), shrunk


def _read(picture: Floats, px: Floats) -> Floats:
    """Bilinear reading at pixels (n, 2)."""
    at = np.ascontiguousarray(px, np.float32)
    return cv2.remap(
        picture, at[:, 0], at[:, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).ravel().astype(float)


def _tukey(scaled: Floats) -> Floats:
    """Weights that fall to zero at 4.7 standard deviations."""
    return np.where(np.abs(scaled) < 4.685, (1.0 - (scaled / 4.685) ** 2) ** 2, 0.0)


def _cross(v: Floats) -> Floats:
    x, y, z = v
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _moved(pose: Pose, step: Floats, chart: ZoneChart) -> Pose:
    """Turn by ``step[:3]`` about the chart's centre and shift by ``step[3:]``."""
    turn = rotation_from_rvec(step[:3])
    centre = pose.apply(chart.centre_mm)
    rotation = turn @ pose.rotation
    u, _, vt = np.linalg.svd(rotation)
    return Pose.of(u @ vt, turn @ (pose.translation_mm - centre) + centre + step[3:])


def _difference(start: Pose, pose: Pose, chart: ZoneChart) -> Floats:
    """Small motion (rotation, translation of the centre) from ``pose`` back to ``start``."""
    turn = start.rotation @ pose.rotation.T
    vee = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2.0
    return np.concatenate([vee, start.apply(chart.centre_mm) - pose.apply(chart.centre_mm)])
