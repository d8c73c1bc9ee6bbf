"""The collar as it is: where each tag really sits on the nozzle, learned from every view of it.

A tag is off the place that the rig gives by a small motion of its own: turned about its middle (rad) and
shifted (mm), nozzle frame; and all of them may look larger than they are said to be, by how they were printed
and how bright borders bloom. Each picture says how the tags in it lie to each other; the given geometry with
the tolerance of gluing says where all of them together lie to the orifice. The size of squares and collar,
each by its tolerance, fixes the scale. Linear least squares throughout: views are added up as normal
equations, so what is kept is of fixed size, however long the session.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Bools, Floats, Ints, frozen, rotation_from_rvec

GLUED_MM = 0.1
"""Placement of a tag by hand before anything was seen, 1 sigma per direction, and of its edge for turns; a
printed sheet glued with care is off by 0.1 to 0.3 mm."""

EXACT_MM, EXACT_WEIGHT = 0.02, 1.0
"""Placement of a collar that was itself measured, and the degrees of freedom with which that is believed once
views say which of the two it is."""

PRINTED = 1e-3
"""Relative size of all tags, 1 sigma: prints are off by 0.1 %, and on exact rigs of simulated sessions tags
looked up to 0.1 % too large, which is 1 mm of depth at 1 m."""

LEAST_MM, MOST_MM = 0.003, 0.2
"""The tolerance of gluing is sought between these. Without an upper end what the model of the picture lacks
(prints that are not square, a lens that is not as calibrated) is taken for motions of the tags without end:
on a real pointer the tip wandered off by 12 mm in 40 pictures; with it the tip's jitter falls from 0.7 to
0.2 mm."""

INDEPENDENT = 3.0
"""All views together tell as much as so many independent ones: what blooming, gamma and coding do to a tag
they do in every view alike. Measured on simulated sessions: with 10, exact collars came out wrong by 0.8 mm
at the tip, with 3 by 0.3, with 1 by 0.15; those misplaced by 0.2 mm come to within 0.6, 0.6 and 0.9."""

RENEW_SHARE = 1.25
"""The estimate is renewed when so many times the views are there that it rests on."""

TOLD = 0.68
"""A tag is told once the 1 sigma of its place (mean over directions) is this share of what gluing leaves. Two
alone leave 0.71 of it, as no view tells what they have in common; six seen from one side leave 0.5 to
0.67."""

ROUNDS = 3
"""Of the search for the tolerance each time the estimate is renewed."""


@dataclass(frozen=True, eq=False)
class Collar:
    """What is known of n tags.

    Motions are turn (rad) and shift (mm) of each in turn, and last by what share all are larger, shape
    (6n + 1,).
    """

    unit: Floats
    """How much of each turn and shift moves a tag's edge by 1 mm, shape (6n,)."""
    information: Floats
    """Summed over all views, shape (6n + 1, 6n + 1)."""
    pull: Floats
    """Right side to it, for motions from the given geometry, shape (6n + 1,)."""
    motion: Floats
    """Best estimate, shape (6n + 1,)."""
    covariance: Floats
    """Of it, shape (6n + 1, 6n + 1)."""
    placed_mm: float
    """Tolerance of gluing that the views suggest, 1 sigma."""
    taken: int
    """Views so far."""
    views: Ints
    """In how many each tag was used, shape (n,)."""
    rests_on: int
    """Views that the estimate rests on."""

    @staticmethod
    def as_given(half_mm: Floats, *, placed_mm: float | None = None) -> Collar:
        """Before anything was seen.

        Args:
            half_mm: Half the side of each tag, shape (n,).
            placed_mm: 1 sigma of the tags' places where calibration states it; else they were glued by hand.
        """
        unit = np.stack([1.0 / half_mm] * 3 + [np.ones(len(half_mm))] * 3, axis=1).ravel()
        size = len(unit) + 1
        first_mm = GLUED_MM if placed_mm is None else float(np.clip(placed_mm, LEAST_MM, MOST_MM))
        return Collar(
            unit=frozen(unit),
            information=frozen(np.zeros((size, size))),
            pull=frozen(np.zeros(size)),
            motion=frozen(np.zeros(size)),
            covariance=frozen(np.diag(1.0 / _firm(unit, first_mm))),
            placed_mm=first_mm,
            taken=0,
            views=frozen(np.zeros(len(half_mm), np.int64)),
            rests_on=0,
        )

    @property
    def shift_sigma_mm(self) -> Floats:
        """1 sigma of each tag's place, the worst direction, shape (n,)."""
        return np.sqrt(np.linalg.eigvalsh(_shift_blocks(self.covariance))[:, -1])


def learn(collar: Collar, information: Floats, pull: Floats, used: Bools) -> Collar:
    """Add a view.

    Args:
        collar: What is known so far; the view was taken with its `Collar.motion` applied.
        information: Normal equations of the view for further motions of the tags, pose and blur eliminated,
            shape (6n + 1, 6n + 1).
        pull: Right side, shape (6n + 1,).
        used: Tags in the view, shape (n,).

    Returns:
        With the estimate renewed if the views have grown by `RENEW_SHARE`.
    """
    told = replace(
        collar,
        information=frozen(collar.information + information),
        pull=frozen(collar.pull + pull + information @ collar.motion),
        taken=collar.taken + 1,
        views=frozen(collar.views + used),
    )
    return renewed(told) if told.taken > RENEW_SHARE * told.rests_on else told


def renewed(collar: Collar) -> Collar:
    """Solve for the motions, and for the tolerance of gluing that makes them likely.

    Evidence maximisation (MacKay, Neural Computation 4 (1992) 415).
    """
    share = INDEPENDENT / (INDEPENDENT + collar.taken)
    placed_mm = collar.placed_mm
    covariance, motion = _solved(collar, share, placed_mm)
    for _ in range(ROUNDS):
        known = np.diag(covariance) * _firm(collar.unit, placed_mm)
        freedom = float(np.sum(1.0 - known[:-1]))
        square_mm2 = float(np.sum((motion[:-1] / collar.unit) ** 2))
        mean_mm2 = (EXACT_WEIGHT * EXACT_MM**2 + square_mm2) / (EXACT_WEIGHT + freedom)
        placed_mm = float(np.clip(np.sqrt(mean_mm2), LEAST_MM, MOST_MM))
        covariance, motion = _solved(collar, share, placed_mm)
    return replace(
        collar,
        motion=frozen(motion),
        covariance=frozen(0.5 * (covariance + covariance.T)),
        placed_mm=placed_mm,
        rests_on=collar.taken,
    )


def solved(collar: Collar, *, placed_mm: float) -> tuple[Floats, Floats]:
    """Motion by the views as they are and the covariance that `INDEPENDENT` leaves of them.

    Args:
        collar: All views.
        placed_mm: Tolerance of gluing, 1 sigma; wide, so that the views alone tell.
    """
    share = INDEPENDENT / (INDEPENDENT + collar.taken)
    covariance, _ = _solved(collar, share, placed_mm)
    return _solved(collar, 1.0, placed_mm)[1], covariance


def _solved(collar: Collar, share: float, placed_mm: float) -> tuple[Floats, Floats]:
    firm = np.diag(_firm(collar.unit, placed_mm))
    covariance = np.asarray(np.linalg.inv(share * collar.information + firm), float)
    return covariance, covariance @ (share * collar.pull)


def _shift_blocks(covariance: Floats) -> Floats:
    """Covariance of each tag's shift, shape (n, 3, 3)."""
    return np.array([covariance[k : k + 3, k : k + 3] for k in range(3, len(covariance) - 1, 6)])


def _firm(unit: Floats, placed_mm: float) -> Floats:
    """Information of gluing and printing, shape (6n + 1,)."""
    return np.concatenate([(placed_mm * unit) ** -2.0, [PRINTED**-2.0]])


def moved_corners(corners_mm: Floats, motion: Floats) -> Floats:
    """Corners of tags after a motion of each about its middle.

    Args:
        corners_mm: Nozzle frame, shape (n, 4, 3).
        motion: As in `Collar.motion`.
    """
    moved = np.empty_like(corners_mm)
    for k, own in enumerate(motion[:-1].reshape(-1, 6)):
        middle = corners_mm[k].mean(axis=0)
        larger = (1.0 + motion[-1]) * (corners_mm[k] - middle)
        moved[k] = larger @ rotation_from_rvec(own[:3]).T + middle + own[3:]
    return moved


def told(collar: Collar) -> Bools:
    """Tags whose place the views tell better than the tolerance of gluing alone does, shape (n,).

    Where few tags were ever seen together, nothing tells the one that is off from those that are not: what is
    estimated for them is mostly what was given.
    """
    share = INDEPENDENT / (INDEPENDENT + collar.taken)
    covariance, _ = _solved(collar, share, GLUED_MM)
    mean_mm = np.sqrt(np.trace(_shift_blocks(covariance), axis1=1, axis2=2) / 3.0)
    return (collar.views > 0) & (mean_mm < TOLD * GLUED_MM)


def off_mm(collar: Collar, corners_mm: Floats) -> Floats:
    """How far the corners of each tag are off the given ones, root mean square, shape (n,)."""
    away = moved_corners(corners_mm, np.append(collar.motion[:-1], 0.0)) - corners_mm
    return np.sqrt(np.mean(np.sum(away**2, axis=-1), axis=-1))


def tip_moved_mm(collar: Collar, corners_mm: Floats) -> float:
    """By how much the given geometry puts the orifice wrong, mean over all views.

    Its tags are fitted as they are and as they were given; 0 where fewer than two were seen.
    """
    seen = collar.views > 0
    if seen.sum() < 2:
        return 0.0
    given = corners_mm[seen].reshape(-1, 3)
    found = moved_corners(corners_mm, collar.motion)[seen].reshape(-1, 3)
    a, b = given - given.mean(axis=0), found - found.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    turn = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt).T
    return float(np.linalg.norm(found.mean(axis=0) - turn @ given.mean(axis=0)))
