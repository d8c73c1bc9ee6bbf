"""Where the tags of a collar really sit, from a slow turn before the camera.

`vision.nozzle` adds up what each view says of how the tags in it lie to each other. Here a whole set of views
is gone through again and again, each time from where the last left the tags, until they stay: far from the
given places what a picture says is not linear. What all tags have in common is left as it was given: the tip
is found by a pivot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.bounds import radius_95
from models.collar import Collar, moved_corners, solved
from models.geometry import Bytes, Floats, Ints, cross_matrix
from models.rig import Nozzle, Rig, Tags
from models.sightings import NozzleSighting
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack

FEWEST_VIEWS = 6
"""Of each tag."""

PLACED_MM = 0.3
"""Tolerance of gluing, 1 sigma: wide, so that the views and not the given places tell."""

LIMIT_MM = 0.25
"""95 % bound of a tag's place above which it is refused: a tag 0.2 mm off puts the tip off by about 1 mm."""

STILL_MM, MOST_ROUNDS = 0.004, 12
"""Corners that move less from round to round stay (root mean square). In simulation tags 0.3 mm off
came to within 0.03 mm in 3 rounds of 36 views and 0.01 mm in 5."""

APART_S = 10.0
"""So far apart views are told to be: each is searched for by itself."""


@dataclass(frozen=True, eq=False)
class CollarFound:
    """What the views say."""

    corners_mm: Floats
    """Nozzle frame, shape (n, 4, 3)."""
    covariance_mm2: Floats
    """Of the tags' middles, what all have in common taken out, shape (3n, 3n)."""
    u95_mm: Floats
    """95 % bound of each tag's middle, the worst direction, shape (n,)."""
    moved_mm: Floats
    """How far the corners of each are off the given ones, root mean square, shape (n,)."""
    views: Ints
    """In how many each was seen, shape (n,)."""
    seen: tuple[bool, ...]
    """Pictures in which the collar was found."""
    refusal: str | None


def find_collar(
    pictures: Sequence[Bytes], rig: Rig, nozzle: Nozzle, *, on_round: Callable[[], None] = lambda: None
) -> CollarFound | str:
    """Solve and judge.

    Args:
        pictures: Blue green red, of the rig's size.
        rig: With its colour camera calibrated.
        nozzle: Its tags as they were meant to be.
        on_round: Told each time all pictures were gone through.

    Returns:
        What was found, with a refusal where it is not good enough; or only why nothing was.
    """
    tags, given_mm = nozzle.tags, nozzle.tags.corners_mm
    corners_mm, moved = given_mm, np.inf
    collar, seen, covariance = None, (), np.zeros((0, 0))
    for _ in range(MOST_ROUNDS):
        now = replace(rig, nozzle=replace(nozzle, tags=replace(tags, corners_mm=corners_mm)))
        collar, seen = _gone_through(pictures, now)
        on_round()
        if collar is None:
            return "The collar was found in no picture; bring it nearer, in good light, and turn it slowly."
        motion, covariance = solved(collar, placed_mm=PLACED_MM)
        after = _as_given(moved_corners(corners_mm, np.append(motion[:-1], 0.0)), given_mm)
        moved = float(np.sqrt(np.mean(np.sum((after - corners_mm) ** 2, axis=-1))))
        corners_mm = after
        if moved < STILL_MM:
            break
    assert collar is not None
    own = _own_covariance(covariance, collar.unit, given_mm.mean(axis=1))
    blocks = np.array([own[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] for k in range(len(tags.ids))])
    u95 = 1.96 * np.sqrt(np.linalg.eigvalsh(blocks)[:, -1])
    off = np.sqrt(np.mean(np.sum((corners_mm - given_mm) ** 2, axis=-1), axis=-1))
    refusal = _refusal(tags, collar.views, u95, moved)
    return CollarFound(corners_mm, own, u95, off, collar.views, seen, refusal)


def own_bounds(collar: Collar, given_mm: Floats) -> tuple[Floats, float]:
    """What a collar learned so far leaves open.

    Args:
        collar: Views added up.
        given_mm: Corners as they were given, shape (n, 4, 3).

    Returns:
        95 % bound of each tag's middle, mm, shape (n,); and `tip_by_tags_mm`.
    """
    _, covariance = solved(collar, placed_mm=PLACED_MM)
    own = _own_covariance(covariance, collar.unit, given_mm.mean(axis=1))
    blocks = np.array([own[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] for k in range(len(given_mm))])
    return 1.96 * np.sqrt(np.linalg.eigvalsh(blocks)[:, -1]), tip_by_tags_mm(given_mm, own)


def tip_by_tags_mm(corners_mm: Floats, covariance_mm2: Floats) -> float:
    """95 % bound of the tip by the places of the tags alone, from the worst of twelve sides, mm.

    The tags that face a side are fitted by their middles as one stiff body, which goes where they are off.

    Args:
        corners_mm: Nozzle frame, the tip at the origin, shape (n, 4, 3).
        covariance_mm2: Of the middles, shape (3n, 3n).
    """
    middles = corners_mm.mean(axis=1)
    out = np.cross(corners_mm[:, 3] - corners_mm[:, 0], corners_mm[:, 1] - corners_mm[:, 0])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    worst = 0.0
    for angle in np.arange(12) * np.pi / 6.0:
        facing = np.flatnonzero(out @ (np.cos(angle), np.sin(angle), 0.0) > 0.4)
        if len(facing) < 3:
            continue
        away = middles[facing] - middles[facing].mean(axis=0)
        rows = np.vstack([np.hstack([-cross_matrix(x), np.eye(3)]) for x in away])
        at = np.concatenate([3 * k + np.arange(3) for k in facing])
        fit = np.linalg.pinv(rows)
        to_tip = np.hstack([-cross_matrix(-middles[facing].mean(axis=0)), np.eye(3)]) @ fit
        own = to_tip @ covariance_mm2[np.ix_(at, at)] @ to_tip.T
        worst = max(worst, radius_95(own, freedom=100.0))
    return worst


def _gone_through(pictures: Sequence[Bytes], rig: Rig) -> tuple[Collar | None, tuple[bool, ...]]:
    track, seen = NozzleTrack.start(), []
    for k, bgr in enumerate(pictures):
        sighting, track = track_nozzle(track, bgr, t_s=APART_S * k, rig=rig)
        seen.append(isinstance(sighting, NozzleSighting))
    return track.collar, tuple(seen)


def _as_given(corners_mm: Floats, given_mm: Floats) -> Floats:
    """The same collar, turned and shifted as a whole so that it lies best on the given one."""
    own, goal = corners_mm.reshape(-1, 3), given_mm.reshape(-1, 3)
    u, _, vt = np.linalg.svd((own - own.mean(axis=0)).T @ (goal - goal.mean(axis=0)))
    turn = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt).T
    return ((own - own.mean(axis=0)) @ turn.T + goal.mean(axis=0)).reshape(corners_mm.shape)


def _own_covariance(covariance: Floats, unit: Floats, middles_mm: Floats) -> Floats:
    """Of the tags' middles, shape (3n, 3n), motions of the whole collar projected out."""
    n = len(middles_mm)
    away = middles_mm - middles_mm.mean(axis=0)
    whole = np.zeros((6 * n, 6))
    for k, (x, y, z) in enumerate(away):
        whole[6 * k : 6 * k + 3, :3] = np.eye(3)
        whole[6 * k + 3 : 6 * k + 6, :3] = [[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]
        whole[6 * k + 3 : 6 * k + 6, 3:] = np.eye(3)
    firm = whole.T / unit**2
    left = np.eye(6 * n) - whole @ np.linalg.solve(firm @ whole, firm)
    own = left @ covariance[:-1, :-1] @ left.T
    at = np.concatenate([[6 * k + 3, 6 * k + 4, 6 * k + 5] for k in range(n)])
    return np.asarray(own[np.ix_(at, at)], float)


def _refusal(tags: Tags, views: Ints, u95: Floats, moved_mm: float) -> str | None:
    few = [int(number) for number, count in zip(tags.ids, views, strict=True) if count < FEWEST_VIEWS]
    if few:
        return (
            f"{_named(few)} seen in fewer than {FEWEST_VIEWS} pictures; turn the nozzle all the way round,"
            " slowly, leaning it to both sides."
        )
    if moved_mm >= STILL_MM:
        return "The places of the tags do not settle; take more pictures, nearer and sharper."
    if u95.max() > LIMIT_MM:
        worst = [int(number) for number, one in zip(tags.ids, u95, strict=True) if one > LIMIT_MM]
        return (
            f"{_named(worst)} known to {u95.max():.2f} mm only (at most {LIMIT_MM} mm); take more pictures in"
            " which they are seen together with their neighbours, from nearer."
        )
    return None


def _named(numbers: Sequence[int]) -> str:
    tags = ", ".join(str(number) for number in numbers)
    return f"Tag {tags} was" if len(numbers) == 1 else f"Tags {tags} were"
