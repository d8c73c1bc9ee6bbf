"""Stage: where the jet meets the skin, and what it leaves there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from guidance.session import UNMEASURABLE, JetOnSkin
from guidance.stages.state import Jet, OnSkin, Setup, State
from models.capture import Capture
from models.chart import PlacedChart, measures_distance
from models.deposit import add_blind, add_unseen, deposit, reachable_weight
from models.geometry import Bools, Floats, Pose
from models.jet import jet_weights, jet_weights_spread
from models.mesh import Hit, cast_ray
from models.sightings import Lost, NozzleSighting, radius_95_mm

STATIC_RADIUS_MM = 10.0
"""The spot rests while it stays within this: what the protocols' slow speed, 1 cm/s, covers in 1 s."""

STATIC_GAP_S = 1.0
"""Seen on the same spot before and after a gap this short, the jet is taken to have rested there: tags that
flicker must not start its time afresh. Sweeps, at 3-10 cm/s, rarely come back to within 1 cm so soon."""

SPEED_WINDOW_S = 0.3
"""The speed is the least over any part of this time up to now: between two pictures 1 mm of noise alone would
be 3 cm/s, over all of it a nozzle that has just stopped would still count as fast."""

BRIDGED_S = 0.15
"""The nozzle is taken to be where it is seen again over at most this (session format, ``predicted``)."""

INSIDE_MM = 20.0
"""A tip that seems to be this deep in the skin touches it: errors of tip and skin together."""

LEAST_DISTANCE_MM = 1.0
"""A tip at or below the skin is taken to blow from this far above it."""

REACHED = 0.05
"""Weight from which a cell counts as one that gas may have reached."""


@dataclass(frozen=True, eq=False)
class Contact:
    """What this capture says of jet and skin."""

    jet: JetOnSkin | None
    reason: str
    weight: Floats | None
    blind: Bools | None
    static_s: float
    spot_u95_mm: float | None = None
    """95 % bound of the spot's place on the skin; None where it is not known where the jet is."""
    weight_before: Floats | None = None
    """`weight` at the capture before; None where nobody knew then where the jet was."""

    @property
    def may_cool_unseen(self) -> bool:
        """Whether gas may cool cells and nobody knows how strongly.

        It is not known where the jet is, or its middle misses the map and its rim does not.
        """
        return self.weight is None or (self.jet is None and bool(self.weight.any()))


def meet_skin(state: State, capture: Capture, setup: Setup, *, dt_s: float) -> tuple[State, Contact]:
    """Find the spot, deposit dwell, and account for what was not seen."""
    on_skin, nozzle = state.on_skin, state.nozzle
    reason = _why_unseen(state, setup)
    unseen_gas_s = capture.gas_s if reason else 0.0
    state = replace(
        state,
        gas_total_s=state.gas_total_s + capture.gas_s,
        unassigned_s=state.unassigned_s + unseen_gas_s,
    )
    if on_skin is None:
        return state, Contact(None, reason, None, None, 0.0)
    placed = on_skin.body.placed(on_skin.chart)
    if reason or isinstance(nozzle, Lost):
        on_skin, blind = _unseen(on_skin, capture, placed)
        return replace(state, on_skin=on_skin), Contact(None, reason, None, blind, 0.0)
    position, normal = placed.position_rgb_mm, placed.normal_rgb
    hit = _struck(on_skin, position, normal, nozzle)
    spot_u95 = _spot_u95_mm(nozzle, placed, hit)
    axis, bore_mm = nozzle.axis_rgb, setup.bore_mm
    sunk_mm = max(0.0, LEAST_DISTANCE_MM - hit.distance_mm) if hit is not None else 0.0
    tip_mm = nozzle.tip_rgb_mm - sunk_mm * axis
    profile = setup.profile
    weight = jet_weights(
        on_skin.mesh, position, normal, tip_mm=tip_mm, axis=axis, bore_mm=bore_mm, profile=profile
    )
    upper = jet_weights_spread(
        on_skin.mesh,
        position,
        normal,
        tip_mm=tip_mm,
        axis=axis,
        bore_mm=bore_mm,
        spot_u95_mm=spot_u95,
        profile=profile,
    )
    jet, seen = _described(hit, nozzle, placed, on_skin, capture.t_s, weight, upper)
    if not capture.gas_now:
        # Aiming is not treating.
        seen = replace(seen, anchor_chart_mm=seen.hit_chart_mm, anchor_s=capture.t_s)
    before = on_skin.jet
    fresh = before is not None and capture.t_s - before.t_s <= dt_s + 1e-6
    seen_gas_s = capture.gas_s
    if not fresh and dt_s > BRIDGED_S:
        # Where the jet was at the beginning of this long interval nobody knows.
        on_skin, _ = _unseen(on_skin, capture, placed)
        state = replace(state, unassigned_s=state.unassigned_s + capture.gas_s)
        seen_gas_s = 0.0
    exposure = deposit(
        on_skin.exposure,
        weight_before=before.weight if before is not None and fresh else weight,
        weight_now=weight,
        upper_before=before.upper if before is not None and fresh else upper,
        upper_now=upper,
        gas_s=seen_gas_s,
    )
    tile_time = on_skin.tile_time_s.copy()
    if jet is not None and jet.cell is not None and on_skin.chart.tile[jet.cell] >= 0:
        tile_time[on_skin.chart.tile[jet.cell]] += seen_gas_s
    on_skin = replace(
        on_skin,
        exposure=exposure,
        jet=seen,
        tile_time_s=tile_time,
        seen_hit_chart_mm=seen.hit_chart_mm if seen.hit_chart_mm is not None else on_skin.seen_hit_chart_mm,
        seen_hit_s=capture.t_s if seen.hit_chart_mm is not None else on_skin.seen_hit_s,
    )
    static_s = capture.t_s - seen.anchor_s if capture.gas_now and jet is not None else 0.0
    blind = np.zeros(len(on_skin.chart), bool)
    reason = "" if jet is not None else "the jet does not meet the skin of the map"
    if jet is None:
        state = replace(state, off_map_s=state.off_map_s + capture.gas_s)
    known_before = before.weight if before is not None and fresh else None
    contact = Contact(jet, reason, weight, blind, static_s, spot_u95, known_before)
    return replace(state, on_skin=on_skin), contact


def _why_unseen(state: State, setup: Setup) -> str:
    """Why nobody can say where the jet meets the skin; empty where it can be said."""
    on_skin = state.on_skin
    if on_skin is None:
        return state.waiting_for or "the zone is not placed"
    if isinstance(state.nozzle, Lost):
        return state.nozzle.reason
    if on_skin.body.state == "lost":
        return "the zone was lost"
    if not measures_distance(on_skin.chart, setup.protocol):
        return UNMEASURABLE
    return ""


def room_for(state: State) -> Callable[[Pose], bool] | None:
    """Whether the skin leaves room for a pose of the nozzle; None where the skin is not known now."""
    if state.on_skin is None or state.on_skin.body.state != "placed":
        return None
    placed = state.on_skin.body.placed(state.on_skin.chart)
    position, normal = placed.position_rgb_mm, placed.normal_rgb
    known_mm = np.hypot(placed.chart.height_u95_mm, placed.moved_u95_mm)

    def room(rgb_from_nozzle: Pose) -> bool:
        away = rgb_from_nozzle.translation_mm - position
        nearest = int(np.argmin(np.einsum("nk,nk->n", away, away)))
        return bool(away[nearest] @ normal[nearest] > -INSIDE_MM - known_mm[nearest])

    return room


def _unseen(on_skin: OnSkin, capture: Capture, placed: PlacedChart) -> tuple[OnSkin, Bools]:
    """Gas may flow, and nobody knows where: bound what each cell may have had."""
    reach = reachable_weight(
        placed.chart.position_mm,
        last_spot_mm=on_skin.seen_hit_chart_mm,
        unseen_for_s=capture.t_s - on_skin.seen_hit_s,
    )
    blind = (reach >= REACHED) & ~on_skin.skin.observed if capture.gas_now else np.zeros(len(reach), bool)
    exposure = add_unseen(on_skin.exposure, reach=reach, gas_s=capture.gas_s)
    exposure = add_blind(exposure, cells=(reach >= REACHED) & ~on_skin.skin.observed, gas_s=capture.gas_s)
    tile_time = on_skin.tile_time_s + capture.gas_s  # any tile may have had it
    return replace(on_skin, exposure=exposure, tile_time_s=tile_time), blind


def _struck(on_skin: OnSkin, position_mm: Floats, normal: Floats, nozzle: NozzleSighting) -> Hit | None:
    """Where the jet meets the skin; a negative distance where the tip seems to be inside it."""
    start_mm = nozzle.tip_rgb_mm - INSIDE_MM * nozzle.axis_rgb
    hit = cast_ray(on_skin.mesh, position_mm, normal, origin_mm=start_mm, direction=nozzle.axis_rgb)
    return None if hit is None else replace(hit, distance_mm=hit.distance_mm - INSIDE_MM)


def _spot_u95_mm(nozzle: NozzleSighting, placed: PlacedChart, hit: Hit | None) -> float:
    """95 % bound of the spot's place on the skin."""
    at = hit.point_mm if hit is not None else nozzle.tip_rgb_mm + 150.0 * nozzle.axis_rgb
    covariance = nozzle.point_covariance_mm2(at)
    across = np.eye(3) - np.outer(nozzle.axis_rgb, nozzle.axis_rgb)
    slide_mm = 0.0
    if hit is not None:
        # Skin that lies higher or lower than charted is met farther along an oblique jet.
        cos = max(float(-hit.normal @ nozzle.axis_rgb), 0.2)
        slide_mm = placed.chart.height_u95_mm[hit.cell] * np.sqrt(1.0 - min(cos, 1.0) ** 2) / cos
    nozzle_mm = radius_95_mm(across @ covariance @ across)
    return float(np.hypot(np.hypot(nozzle_mm, placed.moved_u95_mm), slide_mm))


def _described(
    hit: Hit | None,
    nozzle: NozzleSighting,
    placed: PlacedChart,
    on_skin: OnSkin,
    t_s: float,
    weight: Floats,
    upper: Floats,
) -> tuple[JetOnSkin | None, Jet]:
    """The spot with distance, bound, incidence and speed."""
    before = on_skin.jet
    if hit is None:
        return None, Jet(t_s, weight, upper, None, None, t_s, ())
    chart = on_skin.chart
    spot = placed.rgb_from_chart.inverse.apply(hit.point_mm)
    anchor, since, recent = spot, t_s, ()
    speed = None
    if before is not None and before.anchor_chart_mm is not None:
        rests = np.linalg.norm(spot - before.anchor_chart_mm) <= STATIC_RADIUS_MM
        if rests and t_s - before.t_s <= STATIC_GAP_S:
            anchor, since = before.anchor_chart_mm, before.anchor_s
        recent = tuple((s, place) for s, place in before.recent_chart_mm if t_s - s <= SPEED_WINDOW_S)
        speeds = [float(np.linalg.norm(spot - place)) / (t_s - s) / 10.0 for s, place in recent]
        speed = min(speeds, default=None)
    cos = max(float(-hit.normal @ nozzle.axis_rgb), 0.05)
    along = float(hit.normal @ nozzle.point_covariance_mm2(hit.point_mm) @ hit.normal)
    height = np.hypot(chart.height_u95_mm[hit.cell], placed.moved_u95_mm)
    u95 = float(np.hypot(1.96 * np.sqrt(max(along, 0.0)), height)) / cos
    jet = JetOnSkin(
        hit_rgb_mm=hit.point_mm,
        distance_mm=max(hit.distance_mm, 0.0),
        distance_u95_mm=u95,
        incidence_deg=float(np.degrees(np.arccos(np.clip(-hit.normal @ nozzle.axis_rgb, -1.0, 1.0)))),
        cell=hit.cell,
        in_zone=bool(chart.in_zone[hit.cell]),
        speed_cm_s=speed,
    )
    return jet, Jet(t_s, weight, upper, spot, anchor, since, (*recent, (t_s, spot)))
