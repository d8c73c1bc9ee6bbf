"""Stage: the operator changes the zone before the gas, and the chart is laid anew on the same skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from guidance.drawn_outline import EditRefusedError, area_mm2, circle, round_polygon
from guidance.session import OperatorAction
from guidance.stages.state import OnSkin, Setup, State
from guidance.stages.zone import LARGEST, evidence_now, laid_anew, too_large
from guidance.zone_actions import (
    ZONE_ACTIONS,
    AdjustZone,
    DragZone,
    KeepIn,
    LeaveOutCircle,
    LeaveOutOutline,
    MarkSpot,
    OutlineZone,
    Px,
    ResizeLeftOut,
    ZoneAction,
    ZoneAsFound,
)
from guidance.zone_work import Area, ZoneWork, take_over
from models.capture import Capture
from models.geometry import Floats
from models.rig import Rig
from models.sightings import NozzleSighting
from models.treatment import Tap
from models.zone_chart import Outline, Shift, lay_chart, points_of, uv_of
from vision.follow import Witness, relaid
from vision.placement import TAP_U95_MM, Placement, place_by_tap

FARTHEST_MM = 50.0
"""The skin was measured 100 mm past the outline that was found, and at least 50 mm round the zone are to be
mapped (session format): an outline goes no farther on it."""

SMALLEST = 0.4
"""Share of the found outline's size (own choice)."""

AREAS_MOST = 12

LEAST_CM2 = 1.0
"""A smaller outline is a slip of the finger: a spot of the jet is 8 cm2 (session format)."""

MET_SHARE = 0.6
"""So much of a drawn outline must lie on the skin that is known for it to be laid there; the rest turns away
from the camera round a limb."""


def edit_zone(
    state: State,
    capture: Capture,
    setup: Setup,
    actions: Sequence[OperatorAction],
    *,
    then: OnSkin | None = None,
) -> State:
    """Follow what the operator did to the zone since the capture before.

    Pure: live, in a replay and in an analysis of the recording the same actions give the same chart. What
    cannot be followed leaves everything as it was and is told in ``work.refused``.

    Args:
        state: In this capture, the zone followed to it.
        capture: This one.
        setup: Of the session.
        actions: All actions; others than those on the zone are passed over.
        then: The zone as the operator saw it: in the capture before. None = as it is now.
    """
    edits = [action for action in actions if isinstance(action, ZONE_ACTIONS)]
    work, made = state.work, setup.made
    due = made is not None and not work.taken_over and state.on_skin is not None
    if not edits and not due:
        return state
    if made is not None and due:
        work = take_over(work, made)
    for edit in edits:
        try:
            if state.gas_total_s > 0.0:
                raise EditRefusedError("Gas has flowed already: the zone stays as it is.")
            if not setup.colour_expected:
                raise EditRefusedError("There is no colour picture to change the zone in.")
            work = replace(_edited(work, edit, state, capture, setup, then or state.on_skin), refused="")
        except EditRefusedError as reason:
            work = replace(work, refused=str(reason))
        work = replace(work, count=work.count + 1)
    return _laid(replace(state, work=work), state.work, capture, setup)


def _laid(state: State, before: ZoneWork, capture: Capture, setup: Setup) -> State:
    """The chart as the edits want it; where no skin is found for it, as it was before them."""
    work, on_skin, rig = state.work, state.on_skin, setup.rig
    same = (work.base, work.shift, work.areas) == (before.base, before.shift, before.areas)
    if rig is None or on_skin is None or same:
        return state
    base = work.base
    if base is None:
        # Back to what was found, and nothing was: it is looked for again.
        return replace(state, on_skin=None, pixel_zone=None, waiting_for="the zone is looked for again")
    chart = lay_chart(
        base.skin,
        base.outline,
        zone=setup.zone,
        u_sign=base.u_sign,
        scale=base.scale,
        reference_t_s=base.chart.reference_t_s,
        anchored_by=base.chart.anchored_by,
        surface_by=base.chart.surface_by,
        place_u95_mm=base.chart.place_u95_mm,
        shift=work.shift,
        areas=tuple(Outline(area.polygon) for area in work.areas),
    )
    if chart is None:
        refused = "No skin that may be treated is left under the outline."
        kept = replace(before, refused=refused, count=work.count, taken_over=work.taken_over)
        return replace(state, work=kept)
    body = relaid(on_skin.body, on_skin.chart, chart, _witness(state, capture), rig=rig)
    return replace(state, on_skin=laid_anew(replace(base, chart=chart), body, state, setup, t_s=capture.t_s))


def _witness(state: State, capture: Capture) -> Witness:
    nozzle = state.nozzle if isinstance(state.nozzle, NozzleSighting) else None
    known = capture.seen.body if capture.seen is not None else None
    depth = capture.depth[-1] if capture.depth else None
    return Witness(capture.bgr if capture.seen is None else None, depth, state.patches, nozzle, known)


def _edited(
    work: ZoneWork, edit: ZoneAction, state: State, capture: Capture, setup: Setup, on_skin: OnSkin | None
) -> ZoneWork:
    rig = setup.rig
    if isinstance(edit, OutlineZone):
        return _outlined(work, edit, state, capture, setup, on_skin)
    if isinstance(edit, ZoneAsFound):
        return replace(work, drawn=None, tap=None, shift=None)
    if isinstance(edit, KeepIn):
        if all(area.number != edit.number for area in work.areas):
            raise EditRefusedError("That area is not left out any more.")
        return replace(work, areas=tuple(area for area in work.areas if area.number != edit.number))
    if isinstance(edit, LeaveOutOutline) and rig is None:
        polygon = round_polygon(edit.outline_px)
        return _with_area(work, "outline", polygon)
    if rig is None:
        raise EditRefusedError("Without a rig nothing is known in mm: draw outlines by hand.")
    base = work.base
    if on_skin is not None and on_skin.body.state == "lost":
        raise EditRefusedError("The skin is not followed now: wait until the zone is back.")
    if on_skin is None or base is None:
        raise EditRefusedError("Wait until the zone lies on the picture, or outline it by hand.")
    if isinstance(edit, MarkSpot):
        return replace(work, spot_chart_mm=_on_skin((edit.at_px,), base, on_skin, rig)[0])
    if isinstance(edit, AdjustZone):
        return replace(work, shift=_within(base, _adjusted(work, base, edit, on_skin, rig)))
    if isinstance(edit, DragZone):
        start, end = uv_of(
            base.skin, _on_skin((edit.from_px, edit.to_px), base, on_skin, rig), u_sign=base.u_sign
        )
        du, dv = (end - start).tolist()
        shift = _shift_of(work, base)
        return replace(work, shift=_within(base, replace(shift, u_mm=shift.u_mm + du, v_mm=shift.v_mm + dv)))
    if isinstance(edit, LeaveOutCircle):
        at = _on_skin((edit.centre_px,), base, on_skin, rig)
        centre = uv_of(base.skin, at, u_sign=base.u_sign)[0]
        return _with_area(work, "circle", circle(centre, edit.radius_mm), centre, edit.radius_mm)
    if isinstance(edit, ResizeLeftOut):
        return _resized(work, edit)
    round_polygon(edit.outline_px)
    points = _on_skin(edit.outline_px, base, on_skin, rig)
    return _with_area(work, "outline", uv_of(base.skin, points, u_sign=base.u_sign))


def _outlined(
    work: ZoneWork, edit: OutlineZone, state: State, capture: Capture, setup: Setup, on_skin: OnSkin | None
) -> ZoneWork:
    """Drawn by hand: on the skin that is known where it lies there, else on what is measured there now."""
    outline_px = round_polygon(edit.outline_px)
    tap = Tap(edit.t_s, "rgb", outline_px)
    rig, now, base = setup.rig, state.on_skin, work.found or work.drawn
    if rig is None or on_skin is None or now is None or base is None:
        return replace(work, tap=tap)  # the zone's own stage places it
    if not rig.rgb.inside(outline_px).all():
        raise EditRefusedError("The outline reaches past the picture.")
    hits = _cast(outline_px, base, on_skin, rig)
    met = hits[np.isfinite(hits[:, 0])]
    if len(met) >= max(3.0, MET_SHARE * len(hits)):
        polygon = uv_of(base.skin, met, u_sign=base.u_sign)
        if area_mm2(polygon) < 100.0 * LEAST_CM2:
            raise EditRefusedError("The outline is smaller than 1 cm2: tap the points round the area.")
        if _is_within(base, polygon):
            place_u95_mm = {"depth": TAP_U95_MM, "skin_tags": 2.0 * TAP_U95_MM}.get(base.chart.surface_by)
            by_hand = replace(
                base.chart, anchored_by="tap", place_u95_mm=place_u95_mm or base.chart.place_u95_mm
            )
            drawn = replace(base, chart=by_hand, outline=Outline(polygon))
            if why := too_large(drawn, setup.zone):
                raise EditRefusedError(why)
            return replace(work, drawn=drawn, tap=tap, shift=None)
    placed = place_by_tap(tap, evidence_now(state, capture, setup), zone=setup.zone, rig=rig)
    if isinstance(placed, str):
        raise EditRefusedError(f"The outline cannot be laid: {placed}.")
    if why := too_large(placed, setup.zone):
        raise EditRefusedError(why)
    drawn = replace(placed, skin=placed.skin.seen_from(now.body.rgb_from_chart.inverse))
    areas = tuple(_carried(area, base, drawn) for area in work.areas)
    return replace(work, drawn=drawn, tap=tap, shift=None, areas=areas)


def _carried(area: Area, before: Placement, after: Placement) -> Area:
    """An area in the coordinates of another chart of the same skin.

    Raises:
        EditRefusedError: If it does not lie there: it must not be forgotten by that.
    """
    points = points_of(before.skin, area.polygon, u_sign=before.u_sign)
    if not np.isfinite(points).all():
        raise EditRefusedError("An area to leave out is not on the skin there: remove it first.")
    polygon = uv_of(after.skin, points, u_sign=after.u_sign)
    centre = None if area.centre is None else polygon.mean(0)
    return replace(area, polygon=polygon, centre=centre)


def _with_area(
    work: ZoneWork, kind: str, polygon: Floats, centre: Floats | None = None, radius_mm: float | None = None
) -> ZoneWork:
    if len(work.areas) >= AREAS_MOST:
        raise EditRefusedError(f"{AREAS_MOST} areas are left out already; outline the zone more closely.")
    area = Area(work.numbered + 1, kind, polygon, centre, radius_mm)
    return replace(work, areas=(*work.areas, area), numbered=work.numbered + 1)


def _resized(work: ZoneWork, edit: ResizeLeftOut) -> ZoneWork:
    found = next((area for area in work.areas if area.number == edit.number), None)
    if found is None or found.centre is None:
        raise EditRefusedError("That circle is not left out any more.")
    grown = replace(found, polygon=circle(found.centre, edit.radius_mm), radius_mm=edit.radius_mm)
    return replace(work, areas=tuple(grown if area is found else area for area in work.areas))


def _cast(points_px: Floats, base: Placement, on_skin: OnSkin, rig: Rig) -> Floats:
    """Skin under pixels (n, 2), chart frame, shape (n, 3); NaN where there is none."""
    chart_from_rgb = on_skin.body.rgb_from_chart.inverse
    rays = rig.rgb.unproject(points_px)
    known = np.isfinite(rays).all(axis=1)
    hits = np.full((len(points_px), 3), np.nan)
    origin = chart_from_rgb.translation_mm
    hits[known] = base.skin.cast(chart_from_rgb.rotate(rays[known]), origin_rgb_mm=origin)
    return hits


def _on_skin(points_px: Sequence[Px], base: Placement, on_skin: OnSkin, rig: Rig) -> Floats:
    hits = _cast(np.array(points_px, float), base, on_skin, rig)
    if not np.isfinite(hits).all():
        raise EditRefusedError("There is no known skin: tap on the skin at the zone.")
    return hits


def _shift_of(work: ZoneWork, base: Placement) -> Shift:
    if work.shift is not None:
        return work.shift
    u, v = base.outline.polygon_mm.mean(0).tolist()
    return Shift(middle_mm=(u, v))


def _adjusted(work: ZoneWork, base: Placement, edit: AdjustZone, on_skin: OnSkin, rig: Rig) -> Shift:
    """Directions as the picture shows them at the outline's middle, lengths on the skin."""
    shift = _shift_of(work, base)
    middle = shift.apply(np.array([shift.middle_mm]))
    about = middle + np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    points = points_of(base.skin, about, u_sign=base.u_sign)
    px = rig.rgb.project(on_skin.body.rgb_from_chart.apply(points))
    px_from_uv: Floats = np.ascontiguousarray((px[1:] - px[0]).T)
    if not np.isfinite(px_from_uv).all() or abs(np.linalg.det(px_from_uv)) < 1e-6:
        raise EditRefusedError("The middle of the outline is not seen: drag it, or outline it by hand.")
    uv_from_px: Floats = np.linalg.inv(px_from_uv).astype(np.float64)
    ways: Floats = uv_from_px / np.linalg.norm(uv_from_px, axis=0)
    du, dv = (ways @ np.array([edit.right_mm, edit.down_mm])).tolist()
    turned = np.copysign(np.radians(edit.turn_deg), edit.turn_deg * np.linalg.det(px_from_uv))
    return replace(
        shift,
        u_mm=shift.u_mm + du,
        v_mm=shift.v_mm + dv,
        turn_rad=float(shift.turn_rad + turned),
        scale=shift.scale * edit.scale,
    )


def _within(base: Placement, shift: Shift) -> Shift:
    if not SMALLEST <= shift.scale <= LARGEST:
        raise EditRefusedError("That is too far from the size that was found: outline it by hand.")
    if not _is_within(base, shift.apply(base.outline.polygon_mm)):
        raise EditRefusedError(
            f"More than {FARTHEST_MM:.0f} mm past the skin that was measured: outline it by hand."
        )
    return shift


def _is_within(base: Placement, polygon: Floats) -> bool:
    """Whether the skin about an outline was measured when the zone was placed."""
    # The grid of the skin goes so far about the chart's middle as the longer side of the outline asks for.
    reach = float(np.abs(base.outline.polygon_mm).max()) + FARTHEST_MM
    return bool((np.abs(polygon) <= reach).all())
