"""The jet's axis from a spin: both solutions, its distance from the tip, the verdict, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calibration.poses_file import TrackedPoses
from calibration.spin import SpinSolution, spin_axis, spun_deg
from models.geometry import Floats, frozen

LEAST_POSES = 15
"""Fewer leave the size of the noise open."""

LEAST_SPIN_DEG = 120.0
"""Arc that a spin must cover: over less, a lean of the axis in the nozzle looks like one of the block."""

LIMIT_DEG = 0.5
"""95 % bound of the axis above which a spin is refused: 1.3 mm of the spot at 150 mm."""

MOST_WOBBLE_DEG = 1.5
"""Lean of the nozzle in its block, root mean square, above which it was not spun about one axis."""

MOST_OFF_MM = 1.5
"""The axis may pass the tip at so much more than their bounds: an orifice that is not in the middle of its
tube. Beyond it tip or axis is wrong, or the tube is bent."""

MOST_LEFT_OUT = 0.34
"""As `calibration.tip` has it."""

MOST_ALIKE = 4.0
"""Factor of widening by what poses share beyond which the axis is not told. Arcs of a third of a turn have
1.8 by themselves."""


@dataclass(frozen=True, eq=False)
class AxisFound:
    """What a spin says."""

    plain: SpinSolution
    robust: SpinSolution
    axis: Floats
    """The robust one, pointing the way the gas blows, nozzle frame, shape (3,)."""
    spun_deg: float
    wobble_deg: float
    """Lean of the nozzle about its mean, root mean square of both directions together."""
    off_tip_mm: float
    """How far the axis passes the tip."""
    off_tip_u95_mm: float
    lean_deg: float
    """Of the axis off the rig's own +z."""
    left_out: tuple[str, ...]
    differ: str | None
    refusal: str | None


def find_axis(
    poses: TrackedPoses,
    *,
    marker_nozzle_mm: Floats,
    tip_covariance_mm2: Floats | None = None,
    collar_rad2: float = 0.0,
    limit_deg: float = LIMIT_DEG,
) -> AxisFound:
    """Solve and judge.

    Args:
        poses: Of the nozzle's own frame, spun about its axis; the tip is the origin.
        marker_nozzle_mm: Middle of the tags, from which the gas blows towards the tip, shape (3,).
        tip_covariance_mm2: Of the tip, where it was calibrated, shape (3, 3).
        collar_rad2: Variance of the axis by a collar that no longer holds: no spin tells it.
        limit_deg: Largest 95 % bound of the axis that is accepted.
    """
    plain, robust = (
        _leaning(spin_axis(poses.rotations, poses.translations_mm, robust=way), collar_rad2)
        for way in (False, True)
    )
    used = robust.used
    axis = robust.axis if float(robust.axis @ marker_nozzle_mm) <= 0.0 else -robust.axis
    tip_mm2 = np.zeros((3, 3)) if tip_covariance_mm2 is None else tip_covariance_mm2
    beside = robust.across @ tip_mm2 @ robust.across.T
    off_u95 = float(
        np.hypot(robust.near_u95_mm, 2.45 * np.sqrt(max(float(np.linalg.eigvalsh(beside)[-1]), 0.0)))
    )
    found = AxisFound(
        plain=plain,
        robust=robust,
        axis=frozen(axis),
        spun_deg=spun_deg(poses.rotations[used], robust.axis),
        wobble_deg=float(np.degrees(np.sqrt(np.mean(np.sum(robust.tilt_rad[used] ** 2, axis=1))))),
        off_tip_mm=float(np.linalg.norm(robust.near_mm)),
        off_tip_u95_mm=off_u95,
        lean_deg=float(np.degrees(np.arccos(np.clip(axis[2], -1.0, 1.0)))),
        left_out=tuple(name for name, one in zip(poses.names, used, strict=True) if not one),
        differ=_differ(plain, robust),
        refusal=None,
    )
    return _judged(found, limit_deg=limit_deg)


def _leaning(found: SpinSolution, collar_rad2: float) -> SpinSolution:
    """With what the collar leaves open."""
    return replace(
        found,
        covariance_rad2=frozen(found.covariance_rad2 + collar_rad2 * np.eye(2)),
        axis_u95_rad=float(np.hypot(found.axis_u95_rad, 2.45 * np.sqrt(collar_rad2))),
    )


def _differ(plain: SpinSolution, robust: SpinSolution) -> str | None:
    apart = float(np.arccos(np.clip(abs(float(plain.axis @ robust.axis)), 0.0, 1.0)))
    if not apart > max(plain.axis_u95_rad, robust.axis_u95_rad):
        return None
    return (
        f"The plain and the robust axis are {np.degrees(apart):.2f} degrees apart, more than either"
        " bound: some"
        " poses are bad; the robust one is to be preferred, a new spin more so."
    )


def _judged(found: AxisFound, *, limit_deg: float) -> AxisFound:
    used, n = int(found.robust.used.sum()), len(found.robust.used)
    bound_deg = float(np.degrees(found.robust.axis_u95_rad))
    refusal = None
    if used < LEAST_POSES:
        refusal = (
            f"Only {used} of {n} poses agree; record at least {LEAST_POSES}, better 60, over a whole turn."
        )
    elif found.spun_deg < LEAST_SPIN_DEG:
        refusal = (
            f"The nozzle was spun over {found.spun_deg:.0f} degrees only (at least {LEAST_SPIN_DEG:.0f});"
            " spin it"
            " on, a whole turn if its hose allows."
        )
    elif used < (1.0 - MOST_LEFT_OUT) * n:
        refusal = (
            f"{n - used} of {n} poses do not belong to one axis; rest the nozzle in a V-block and spin again."
        )
    elif found.wobble_deg > MOST_WOBBLE_DEG:
        refusal = (
            f"The nozzle wobbled by {found.wobble_deg:.1f} degrees (at most {MOST_WOBBLE_DEG:g}); press"
            " it into the"
            " V-block while it turns."
        )
    elif found.robust.alike > MOST_ALIKE:
        refusal = (
            f"Poses that are alike err alike ({found.robust.alike:.1f} times the bound): calibrate the"
            " collar first,"
            " then spin over a whole turn."
        )
    elif not bound_deg <= limit_deg:
        refusal = (
            f"The 95 % bound of the axis is {bound_deg:.2f} degrees (limit {limit_deg:g}); spin farther,"
            " nearer to"
            " the camera, and take more poses."
        )
    elif found.off_tip_mm > found.off_tip_u95_mm + MOST_OFF_MM:
        refusal = (
            f"The axis passes the tip at {found.off_tip_mm:.2f} mm (they are known to"
            f" {found.off_tip_u95_mm:.2f} mm): calibrate the tip anew, or see whether the tube is bent."
        )
    return replace(found, refusal=refusal)
