"""A zone of the catalogue on one side of the body: the catalogue is written for the left side."""

from __future__ import annotations

from dataclasses import replace

from models.problems import InputError
from models.zone import Anchor, LeaveOut, Zone

# Distance between paired MediaPipe Pose landmarks on an adult of 1.75 m, mm; used only to move the centre of
# half a zone sideways. Shoulder, hip: joint centres (0.129 H from the midline, Winter 2009; hips about
# 0.10 H apart, own estimate). Eye: pupil distance 63 (Dodgson 2004). Ear, mouth: own estimate.
_PAIR_MM = {"shoulder": 380.0, "hip": 180.0, "eye": 63.0, "ear": 150.0, "mouth": 50.0}
_HALF_PLACE_U95_MM = 15.0
"""Bound added where a zone is halved: those distances vary by a tenth between adults, the width as well."""


def zone_on_side(zone: Zone, side: str) -> Zone:
    """Turn a zone into what is treated on ``side``.

    A one-sided zone (knee, cheek) is mirrored for the right side; of a zone across the midline
    (lumbar) ``left`` and ``right`` mean that half. ``both`` of a one-sided zone has no single place
    on the body, so it keeps no anchor: it needs a tapped outline or skin tags.

    Args:
        zone: From the catalogue, written for the left side.
        side: ``left``, ``right`` or ``both``: the subject's own.

    Raises:
        InputError: If the zone has no such side.
    """
    if side not in zone.sides:
        raise InputError(f"The zone {zone.name!r} has no side {side!r}: use {' or '.join(zone.sides)}.")
    if zone.anchor is None or not _across_midline(zone.anchor):
        if side == "both":
            return replace(zone, anchor=None)
        return zone if side == "left" else _mirrored(zone)
    if side == "both":
        return zone
    half = _left_half(zone, zone.anchor)
    return half if side == "left" else _mirrored(half)


def mirrored_landmark(name: str) -> str:
    """Name of the same landmark on the other side."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(part, part) for part in name.split("_"))


def _across_midline(anchor: Anchor) -> bool:
    weights = dict(anchor.centre)
    return all(weights.get(mirrored_landmark(name)) == weight for name, weight in anchor.centre)


def _mirrored(zone: Zone) -> Zone:
    def names(landmarks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(mirrored_landmark(name) for name in landmarks)

    anchor = zone.anchor
    if anchor is not None:
        anchor = replace(
            anchor,
            centre=tuple((mirrored_landmark(name), weight) for name, weight in anchor.centre),
            v_from=names(anchor.v_from),
            v_to=names(anchor.v_to),
            scale_from=(mirrored_landmark(anchor.scale_from[0]), mirrored_landmark(anchor.scale_from[1])),
        )
    return replace(
        zone,
        anchor=anchor,
        leave_out=tuple(replace(a, u_mm=-a.u_mm) for a in zone.leave_out),
        relief=tuple(replace(r, u_mm=-r.u_mm) for r in zone.relief),
    )


def _left_half(zone: Zone, anchor: Anchor) -> Zone:
    """The half on the subject's left: half as wide, its centre a quarter of the width further left."""
    shift_mm = zone.width_mm / 4.0
    left, right, pair_mm = _pair(anchor)
    weights = dict(anchor.centre)
    weights[left] += shift_mm / pair_mm
    weights[right] -= shift_mm / pair_mm
    return replace(
        zone,
        width_mm=zone.width_mm / 2.0,
        anchor=replace(
            anchor,
            centre=tuple(weights.items()),
            place_u95_mm=(anchor.place_u95_mm**2 + _HALF_PLACE_U95_MM**2) ** 0.5,
        ),
        leave_out=tuple(_shifted(area, -shift_mm) for area in zone.leave_out),
    )


def _shifted(area: LeaveOut, u_mm: float) -> LeaveOut:
    return replace(area, u_mm=area.u_mm + u_mm)


def _pair(anchor: Anchor) -> tuple[str, str, float]:
    for name, _ in anchor.centre:
        parts = name.split("_")
        if "left" in parts:
            kind = next(part for part in parts if part != "left")
            return name, mirrored_landmark(name), _PAIR_MM[kind]
    raise ValueError("A zone across the midline needs a pair of landmarks in its anchor.")
