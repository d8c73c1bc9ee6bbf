"""The touch check: the nozzle's tip on a known place of the skin, held still; how far off is it measured?

It holds rig, surface and following of the body against the one place where the operator knows the truth. It
checks where the tip is, not which way the jet points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidance.session import Guidance
from guidance.stages.state import Setup
from models.chart import PlacedChart, ZoneChart, why_unmeasured
from models.geometry import Floats
from models.jet import half_radius_mm
from models.protocol import Protocol
from models.sightings import NozzleSighting, radius_95_mm

STILL_S = 1.0
"""Averaged over this long: a slow breath moves skin and nozzle for 4 s, a hand rests for one (own choice)."""

STILL_MM = 3.0
"""A hand that rests trembles by 0.5-1 mm, and a pose by about as much; 3 mm within a second is moving."""

GAP_S = 0.4
"""Seen less often than this, nobody knows that it was still."""

REACH_MM = 60.0
"""A tip farther than this from every target is on its way: twice the largest limit."""

HAND_ALONG_MM = 2.0
"""Skin gives way under a nozzle, or it does not quite touch (own choice)."""

HAND_ACROSS_SHARE = 0.25
"""By eye the orifice is set on a mark to a quarter of its bore (own choice)."""

MARK_U95_MM = 5.0
"""A finger on a tablet, as `vision.placement.TAP_U95_MM`."""


RAISED = ("contact", "distance")
"""Alarms that a touch raises by itself: as long as no gas flows they are what is asked for."""


@dataclass(frozen=True, eq=False)
class Target:
    """A place of the skin that can be touched."""

    name: str
    chart_mm: Floats
    u95_mm: float


@dataclass(frozen=True, eq=False)
class Sample:
    """The tip in one capture."""

    t_s: float
    tip_chart_mm: Floats
    covariance_mm2: Floats
    """3x3 of the tip, chart frame."""
    moved_u95_mm: float


@dataclass(frozen=True, eq=False)
class TouchTrack:
    """What was seen of tip and targets lately."""

    samples: tuple[Sample, ...] = ()
    tags: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Touch:
    """What is measured now, and what may be made of it."""

    state: str
    """``ok``, ``refused``, ``waiting``, or ``cannot``: nothing can be measured."""
    words: str
    target: str = ""
    along_mm: float | None = None
    along_u95_mm: float | None = None
    across_mm: float | None = None
    across_u95_mm: float | None = None
    along_limit_mm: float | None = None
    across_limit_mm: float | None = None
    still_s: float = 0.0


def limits_mm(protocol: Protocol, *, bore_mm: float) -> tuple[float, float]:
    """What the protocol bears, along and across the skin.

    Along: a nozzle that seems to be where the warning begins must not be where STOP is. Across: half the
    spot's strength is gone at its half radius at the nominal distance, so gas told of there fell elsewhere.
    """
    distance = protocol.distance
    along = distance.warn_low_mm - distance.stop_low_mm
    return along, half_radius_mm(distance.nominal_mm, bore_mm=bore_mm)


def seen(track: TouchTrack, guidance: Guidance) -> TouchTrack:
    """Take in one step."""
    place = guidance.zone
    if not isinstance(place, PlacedChart):
        return TouchTrack()
    if track.samples and guidance.t_s <= track.samples[-1].t_s:
        return track
    chart_from_rgb = place.rgb_from_chart.inverse
    tags = {target.name: target for target in track.tags}
    for patch in guidance.tag_patches:
        name = f"tag {patch.tag}"
        at = chart_from_rgb.apply(patch.rgb_from_tag.translation_mm)
        tags[name] = Target(name, at, patch.position_u95_mm)
    samples = tuple(one for one in track.samples if guidance.t_s - one.t_s <= 2.0 * STILL_S)
    nozzle = guidance.nozzle
    if isinstance(nozzle, NozzleSighting) and nozzle.state == "tracked":
        turn = chart_from_rgb.rotation
        covariance = turn @ nozzle.point_covariance_mm2(nozzle.tip_rgb_mm) @ turn.T
        tip = chart_from_rgb.apply(nozzle.tip_rgb_mm)
        samples = (*samples, Sample(guidance.t_s, tip, covariance, place.moved_u95_mm))
    return replace(track, samples=samples, tags=tuple(tags.values()))


def measured(track: TouchTrack, guidance: Guidance, setup: Setup) -> Touch:
    """The offset of a tip that is held still on a target, with its bound, and whether it is too large.

    It passes where it is no larger than its own bound explains and than the protocol bears.
    """
    place, rig = guidance.zone, setup.rig
    if rig is None or rig.nozzle is None:
        return Touch("cannot", "The check cannot be done: there is no rig that knows the nozzle.")
    if not isinstance(place, PlacedChart):
        return Touch("cannot", "The check cannot be done: the zone is not placed on skin.")
    if why := why_unmeasured(place.chart, setup.protocol):
        return Touch("cannot", f"The check cannot be done: {why}.")
    targets = _targets(track, guidance)
    if not targets:
        return Touch("waiting", "Tap on a spot of the skin in the picture, then put the tip on it.")
    held = _held(track.samples)
    if not held or guidance.t_s - held[-1].t_s > GAP_S:
        return Touch("waiting", "The nozzle is not seen.")
    tip = np.mean([one.tip_chart_mm for one in held], axis=0)
    target = min(targets, key=lambda one: float(np.linalg.norm(one.chart_mm - tip)))
    if np.linalg.norm(target.chart_mm - tip) > REACH_MM:
        names = " or the ".join(one.name for one in targets)
        return Touch("waiting", f"Put the tip on the {names}.")
    return _judged(tip, held, target, place.chart, setup)


def _judged(tip: Floats, held: Sequence[Sample], target: Target, chart: ZoneChart, setup: Setup) -> Touch:
    away = tip - chart.position_mm
    cell = int(np.argmin(np.einsum("nk,nk->n", away, away)))
    normal = chart.normal[cell]
    along = float(away[cell] @ normal)
    beside = tip - target.chart_mm
    across = float(np.linalg.norm(beside - (beside @ normal) * normal))
    covariance = np.mean([one.covariance_mm2 for one in held], axis=0)
    flat = np.eye(3) - np.outer(normal, normal)
    moved = max(one.moved_u95_mm for one in held)
    along_u95 = _root(
        1.96 * float(np.sqrt(max(normal @ covariance @ normal, 0.0))),
        float(chart.height_u95_mm[cell]),
        moved,
        HAND_ALONG_MM,
    )
    across_u95 = _root(
        radius_95_mm(flat @ covariance @ flat), target.u95_mm, moved, HAND_ACROSS_SHARE * setup.bore_mm
    )
    along_limit, across_limit = limits_mm(setup.protocol, bore_mm=setup.bore_mm)
    still_s = held[-1].t_s - held[0].t_s
    state, words = "ok", "Tip and skin agree."
    if still_s < STILL_S:
        state, words = "waiting", "Hold still."
    elif along_u95 > along_limit or across_u95 > across_limit:
        state, words = "refused", "Known too badly to tell: more tags in view, or another rig."
    elif abs(along) > along_limit or across > across_limit:
        state, words = "refused", "Too far off to treat: is the tip on it? Else calibrate the rig anew."
    elif abs(along) > along_u95 or across > across_u95:
        state, words = "refused", "Farther off than the rig allows: is the tip on it? Else calibrate it anew."
    return Touch(
        state, words, target.name, along, along_u95, across, across_u95, along_limit, across_limit, still_s
    )


def _targets(track: TouchTrack, guidance: Guidance) -> tuple[Target, ...]:
    spot = guidance.edited.spot_chart_mm if guidance.edited is not None else None
    marked = () if spot is None else (Target("marked spot", spot, MARK_U95_MM),)
    return (*track.tags, *marked)


def _held(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The newest samples in which the tip kept still, no longer than `STILL_S` and a bit."""
    held: list[Sample] = []
    for one in reversed(samples):
        if held and (held[-1].t_s - one.t_s > GAP_S or held[0].t_s - held[-1].t_s >= STILL_S):
            break
        tips = np.array([other.tip_chart_mm for other in (*held, one)])
        if float(np.linalg.norm(tips - tips.mean(0), axis=1).max()) > STILL_MM:
            break
        held.append(one)
    return tuple(reversed(held))


def _root(*parts: float) -> float:
    return float(np.sqrt(sum(part * part for part in parts)))
