"""The tip of the nozzle from a pivot: both solutions, the verdict, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calibration.bounds import radius_95
from calibration.pivot import PivotSolution, plain_pivot, robust_pivot
from calibration.pivot_agreement import MOST_ALIKE, Agreement, agreement
from calibration.poses_file import TrackedPoses
from calibration.tag_leverage import GLUED_MM, TagsPlaced
from models.geometry import Floats, frozen

LEAST_POSES = 12
"""Fewer leave the size of the noise open: with 12 the factor on the sigma is 2.05 and not 1.96."""

LEAST_TURN_DEG = 15.0
"""Turn of the tool below which a pivot is refused, as SlicerIGT does (shared evidence: +-2 degrees give a
residual of 0.29 mm and a tip that is wrong by 4.5 mm)."""

LIMIT_MM = 2.5
"""95 % bound of the tip above which a pivot is refused, unless told otherwise: half a cell of the exposure
map, so that the jet is never counted on the wrong one by the tip alone."""

SURE_MM = 0.3
"""A bound below this is accepted whatever the poses share: it moves the spot by a sixteenth of a cell."""

_SURE_FREEDOM = 1e4
"""Of a tolerance that is stated and not estimated."""

MOST_LEFT_OUT = 0.34
"""Share of the poses that may be left out; the start of the robust solution is safe up to a little more."""


@dataclass(frozen=True, eq=False)
class TipFound:
    """What a pivot says."""

    plain: PivotSolution
    robust: PivotSolution
    turn_deg: float
    """How far the direction of the tool that was turned least was turned."""
    left_out: tuple[str, ...]
    """Poses that have no say in the robust solution."""
    agree: Agreement
    """The two solutions of the same poses, held against each other."""
    tags_u95_mm: float
    """Part of the bound that the tags' places leave open; 0 where the poses are not of tags on a rig."""
    differ: str | None
    """A sentence where the two solutions are farther apart than their bounds, or an error is shared."""
    refusal: str | None
    """Why it is not good enough, and what to do; None where it is."""


def find_tip(
    poses: TrackedPoses,
    *,
    marker_tool_mm: Floats,
    limit_mm: float = LIMIT_MM,
    placed: TagsPlaced | None = None,
) -> TipFound:
    """Solve and judge.

    Args:
        poses: Of the tool, turned about its resting tip.
        marker_tool_mm: Middle of the tags in the tool's frame, shape (3,).
        limit_mm: Largest 95 % bound of the tip that is accepted.
        placed: Tags that the poses come from: what is not known of their places goes into the bound. None =
            the poses are of something that is known to hold its shape.
    """
    plain = plain_pivot(poses.rotations, poses.translations_mm)
    robust = robust_pivot(poses.rotations, poses.translations_mm, marker_tool_mm=marker_tool_mm)
    agree = agreement(poses.rotations, poses.translations_mm, robust, marker_tool_mm=marker_tool_mm)
    tags_u95_mm = 0.0
    if placed is not None:
        widened, tags_u95_mm = _with_tags(agree.robust, placed)
        agree = replace(agree, robust=widened)
    robust = agree.robust
    turn = turn_deg(poses.rotations[robust.used] if robust.used.sum() > 1 else poses.rotations)
    return TipFound(
        plain=plain,
        robust=robust,
        turn_deg=turn,
        left_out=tuple(name for name, used in zip(poses.names, robust.used, strict=True) if not used),
        agree=agree,
        differ=_differ(plain, agree),
        tags_u95_mm=tags_u95_mm,
        refusal=_unplaced(agree, placed, tags_u95_mm, limit_mm)
        or _refusal(agree, turn_deg_=turn, limit_mm=limit_mm),
    )


def _with_tags(robust: PivotSolution, placed: TagsPlaced) -> tuple[PivotSolution, float]:
    """With what the tags' places leave open, and the 95 % bound of that alone, mm."""
    spread = placed.tip_mm2(robust.tip_mm)
    tags_mm = radius_95(spread, freedom=_SURE_FREEDOM)
    whole = replace(
        robust,
        covariance_mm2=frozen(robust.covariance_mm2 + spread),
        tip_u95_mm=float(np.hypot(robust.tip_u95_mm, tags_mm)),
    )
    return whole, tags_mm


def _unplaced(agree: Agreement, placed: TagsPlaced | None, tags_mm: float, limit_mm: float) -> str | None:
    """Where tags that nobody calibrated, or too long ago, are what the bound fails by."""
    if placed is None or tags_mm < 0.7 * limit_mm or agree.robust.tip_u95_mm <= limit_mm:
        return None
    if placed.lapsed:
        return (
            f"Where the collar's tags sit no longer holds ({placed.lapsed}), which alone leaves the tip open"
            f" by {tags_mm:.2f} mm (95 %; limit {limit_mm:g} mm) however good the poses; run `cryoguide"
            " calibrate collar` again first."
        )
    if placed.calibrated:
        return None
    return (
        f"Nothing is known of where the collar's tags sit, which alone leaves the tip open by {tags_mm:.2f}"
        f" mm (95 %, tags glued to {GLUED_MM:g} mm, 1 sigma; limit {limit_mm:g} mm) however good the poses;"
        " run `cryoguide calibrate collar` first."
    )


def turn_deg(rotations: Floats) -> float:
    """Largest angle by which the least turned direction of the tool was turned, between any two poses.

    A spin about one axis turns everything but that axis, along which the tip then stays unknown: so the
    direction is looked at that was turned least.

    Args:
        rotations: Shape (n, 3, 3).
    """
    spread = rotations - rotations.mean(axis=0)
    _, vectors = np.linalg.eigh(np.einsum("nji,njk->ik", spread, spread))
    turned = rotations @ vectors[:, 0]
    return float(np.degrees(np.arccos(np.clip(turned @ turned.T, -1.0, 1.0))).max())


def _differ(plain: PivotSolution, agree: Agreement) -> str | None:
    robust = agree.robust
    apart_mm = float(np.linalg.norm(plain.tip_mm - robust.tip_mm))
    kept_mm = float(np.linalg.norm(agree.kept.tip_mm - robust.tip_mm))
    far = apart_mm > max(plain.tip_u95_mm, robust.tip_u95_mm)
    if not far and not agree.shared and not agree.alike > MOST_ALIKE:
        return None
    told = f"The plain and the robust solution are {apart_mm:.2f} mm apart"
    told += f" (bounds {plain.tip_u95_mm:.2f} and {robust.tip_u95_mm:.2f} mm)"
    if agree.shared or agree.alike > MOST_ALIKE:
        return (
            f"{told}, on the same poses still {kept_mm:.2f} mm: no single bad pose does that, but an error"
            f" that poses share; the bound was widened {agree.alike:.1f} times for it"
            + (" and covers both solutions." if agree.shared else ".")
        )
    if kept_mm <= max(agree.kept.tip_u95_mm, robust.tip_u95_mm):
        return (
            f"{told}; without the poses left out they agree to {kept_mm:.2f} mm, so these poses were bad, and"
            " the robust one holds."
        )
    return (
        f"{told}: the turn was small for the errors of rotation, which pull the plain one towards the tags"
        f" as far as they should; the robust one allows for it, a wider turn is better."
    )


def _refusal(agree: Agreement, *, turn_deg_: float, limit_mm: float) -> str | None:
    found = agree.robust
    n, used = len(found.used), int(found.used.sum())
    if used < LEAST_POSES:
        return (
            f"Only {used} of {n} poses agree; record at least {LEAST_POSES}, better 50, with the tip at rest."
        )
    if turn_deg_ < LEAST_TURN_DEG:
        return (
            f"The tool was turned by {turn_deg_:.1f} degrees only (at least {LEAST_TURN_DEG:.0f}); lean it"
            f" farther,"
            " to all sides, with the tip at rest."
        )
    if used < (1.0 - MOST_LEFT_OUT) * n:
        return (
            f"{n - used} of {n} poses do not belong to one resting tip; press the tip into a dimple that"
            f" holds it,"
            " and record again."
        )
    if agree.alike > MOST_ALIKE and not agree.robust.tip_u95_mm < SURE_MM:
        return (
            f"Poses that are alike err alike, which makes the bound {agree.alike:.1f} times as wide"
            f" ({found.tip_u95_mm:.2f} mm): an error that all share, not one bad pose; calibrate the camera"
            " and the collar anew, see that nothing on the nozzle is loose, and record again."
        )
    if not found.tip_u95_mm <= limit_mm:
        told = f"{found.tip_u95_mm:.2f} mm" if np.isfinite(found.tip_u95_mm) else "not known"
        return (
            f"The 95 % bound of the tip is {told} (limit {limit_mm:g} mm); lean the tool farther to all"
            f" sides, nearer"
            " to the camera, and take more poses."
        )
    return None
