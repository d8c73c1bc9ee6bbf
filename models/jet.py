"""Footprint weight of the jet on every cell: the definition of dwell.

``w = exp(-ln 2 (r / r_half)^2)`` with ``r_half = bore / 2 + 0.1 d``: d along the jet axis from the orifice,
r across it (session format, "Footprint weight"). The spot widens by about 0.1 mm a mm (domain: jet). A cell
that the orifice cannot see gets nothing: the jet is taken to be stopped by the skin that it strikes first.
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import still
from models.footprint import footprint
from models.geometry import Floats
from models.jet_profile import JetProfile
from models.mesh import ChartMesh

SPREAD = 0.1
"""Growth of the half radius with distance. Source: session format; domain, "Spot: Gaussian"."""

LEAST_WEIGHT = 0.01
"""Below this the footprint counts as nothing. Source: session format."""

CLEARANCE_MM = 2.0
"""Skin hides a cell only if it stands this far in front of it along the line of sight: neighbouring triangles
meet the cell itself. On three simulated sessions 0.5 to 4 mm give the same dwell within 0.1 %."""

HORIZON_DEG = 3.0
"""A cell whose normal is turned away from the orifice by more than this is behind its own horizon, whatever
the triangles say. 3 degrees allow for the error of a normal; with 0 the dwell map's bias on a knee of 55 mm
radius is -1.0 %, with 3 degrees +1.0 %, without the test +2.1 % (simulation; the map's error 4.2 %, of which
2.5 % come from the simulation's own line of sight)."""


EDGE_ROOM = 2.0
"""Edges of the mesh may have grown by this factor since the chart was laid: skin stretches less."""

UNDER_JET_WEIGHT = 0.05
"""Footprint weight from which on a cell counts as lying under the jet."""


def half_radius_mm(distance_mm: float, *, bore_mm: float, profile: JetProfile | None = None) -> float:
    """Radius at which the weight is one half, at a distance along the jet axis; measured where it was."""
    if profile is not None:
        return profile.half_radius_mm(distance_mm)
    return bore_mm / 2.0 + SPREAD * distance_mm


def jet_weights(
    mesh: ChartMesh,
    position_mm: Floats,
    normal: Floats,
    *,
    tip_mm: Floats,
    axis: Floats,
    bore_mm: float,
    profile: JetProfile | None = None,
) -> Floats:
    """Weight of the jet on every cell.

    Args:
        mesh: Which cells are neighbours; what stands between the orifice and a cell hides it.
        position_mm: Cell centres now, shape (n, 3), any frame.
        normal: Outward unit normals in the same frame, shape (n, 3).
        tip_mm: Centre of the orifice, shape (3,).
        axis: The way the gas blows, shape (3,); its length does not matter.
        bore_mm: Bore of the nozzle.
        profile: Footprint as measured, in place of the one by the bore.

    Returns:
        Weights 0..1, shape (n,): 0 behind the orifice, where the skin does not face the jet, where the line
        of sight is blocked, and below `LEAST_WEIGHT`.

    Raises:
        ValueError: If the axis has no length.
    """
    shape = _shape(bore_mm, profile)
    return _weights(mesh, position_mm, normal, tip_mm, axis, shape, 0.0, 0.0, 0.0)


def jet_weights_spread(
    mesh: ChartMesh,
    position_mm: Floats,
    normal: Floats,
    *,
    tip_mm: Floats,
    axis: Floats,
    bore_mm: float,
    spot_u95_mm: float,
    facing_u95_deg: float = 5.0,
    profile: JetProfile | None = None,
) -> Floats:
    """Upper 95 % bound of the weight when nozzle and skin are known within bounds only.

    The jet may lie ``spot_u95_mm`` nearer to any cell, and the skin may face it more by ``facing_u95_deg``;
    what hides a cell by less than the bound hides nothing. Never less than `jet_weights`; it grows with both
    bounds.

    Args:
        mesh: See `jet_weights`.
        position_mm: See `jet_weights`.
        normal: See `jet_weights`.
        tip_mm: See `jet_weights`.
        axis: See `jet_weights`.
        bore_mm: See `jet_weights`.
        spot_u95_mm: 95 % bound of the spot's place on the skin (tip, axis and surface together).
        facing_u95_deg: 95 % bound of the angle between jet and surface normal.
        profile: See `jet_weights`; its half radius may be larger by its bound.

    Returns:
        Weights 0..1, shape (n,).

    Raises:
        ValueError: If a bound is negative or the axis has no length.
    """
    if not (spot_u95_mm >= 0.0 and facing_u95_deg >= 0.0):
        raise ValueError(f"Bounds must not be negative: {spot_u95_mm} mm, {facing_u95_deg} deg.")
    shape = _shape(bore_mm, profile, wider=True)
    return _weights(mesh, position_mm, normal, tip_mm, axis, shape, spot_u95_mm, facing_u95_deg, spot_u95_mm)


def _shape(bore_mm: float, profile: JetProfile | None, *, wider: bool = False) -> tuple[float, float]:
    """Half radius at the orifice (mm) and its growth a mm."""
    if profile is None:
        return bore_mm / 2.0, SPREAD
    open_mm = max(profile.half_u95_mm(profile.from_mm), profile.half_u95_mm(profile.to_mm)) if wider else 0.0
    return profile.half_mm + open_mm, profile.spread


def _weights(
    mesh: ChartMesh,
    position_mm: Floats,
    normal: Floats,
    tip_mm: Floats,
    axis: Floats,
    shape: tuple[float, float],
    nearer_mm: float,
    facing_deg: float,
    lift_mm: float,
) -> Floats:
    length = math.sqrt(float(axis[0]) ** 2 + float(axis[1]) ** 2 + float(axis[2]) ** 2)
    if not length > 0.0:
        raise ValueError("A jet needs an axis with a length.")
    return footprint(
        still(np.asarray(position_mm, np.float64)),
        still(np.asarray(normal, np.float64)),
        mesh.triangles,
        mesh.first,
        mesh.grid,
        mesh.place,
        EDGE_ROOM * mesh.longest_mm,
        still(np.asarray(tip_mm, np.float64)),
        np.asarray(axis, dtype=np.float64) / length,
        (*shape, LEAST_WEIGHT, CLEARANCE_MM),
        (
            float(nearer_mm),
            float(lift_mm),
            math.sin(math.radians(min(facing_deg, 90.0))),
            math.sin(math.radians(min(facing_deg + HORIZON_DEG, 90.0))),
        ),
    )
