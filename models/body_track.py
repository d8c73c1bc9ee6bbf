"""Agreement of body landmarks over captures: same body, same place, same left and right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.body_landmarks import EXCHANGED, LANDMARKS, same_body, trunk_px
from models.geometry import Floats

_JOINTS = np.array(
    [LANDMARKS[f"{side}_{joint}"] for joint in ("shoulder", "hip", "knee") for side in ("left", "right")]
)

# Agreement over captures. A body can move by 0.75 m/s, i.e. 1.5 trunk lengths a second (a squat does);
# the network's own scatter between captures was at most 0.05 trunk lengths.
_JITTER, _SPEED_PER_S, _FARTHEST = 0.12, 1.5, 0.6
CAPTURES_NEEDED = 2
"""Captures in a row that must agree before a landmark is believed."""
LONGEST_GAP_S = 1.5
"""Captures farther apart than this say nothing about each other."""
TURNED_OVER_S = 2.0
"""So long after a body was believed, one with left and right exchanged is refused: nobody turns faster."""


@dataclass(frozen=True, eq=False)
class BodyTrack:
    """What earlier captures said about the body in view."""

    t_s: float
    points_px: Floats
    """Of the latest capture, shape (33, 2)."""
    captures: int
    """Captures in a row that agree with each other."""
    trusted_t_s: float = -np.inf
    """When this body was last believed."""
    trusted_px: Floats | None = None
    """Where it was then."""


def sides_exchanged(before_px: Floats, after_px: Floats) -> bool:
    """Whether a later set of landmarks fits an earlier one much better with left and right exchanged.

    Args:
        before_px: Shape (33, 2).
        after_px: Shape (33, 2).
    """
    size_px = trunk_px(before_px)
    joints = _JOINTS

    def apart(points_px: Floats) -> float:
        # About the middle, so that a body that moved as a whole is not taken for one that turned over.
        a = before_px[joints] - before_px[joints].mean(axis=0)
        b = points_px[joints] - points_px[joints].mean(axis=0)
        return float(np.linalg.norm(a - b, axis=1).sum() / len(joints) / size_px)

    return apart(after_px) > 0.1 and apart(after_px[EXCHANGED]) < 0.5 * apart(after_px)


def follow(track: BodyTrack | None, points_px: Floats, *, t_s: float) -> tuple[BodyTrack, str]:
    """Take one more capture into account.

    Args:
        track: What was known before; None for nothing.
        points_px: Landmarks of this capture, shape (33, 2).
        t_s: Its time.

    Returns:
        The track with this capture in it, and why the landmarks are not to be believed yet
        (empty where the captures agree and are enough).
    """
    if track is None or t_s <= track.t_s:
        return BodyTrack(t_s, points_px, 1), "seen in too few captures"
    kept = replace(track, t_s=t_s, points_px=points_px)
    if (
        track.trusted_px is not None
        and t_s - track.trusted_t_s < TURNED_OVER_S
        and sides_exchanged(track.trusted_px, points_px)
    ):
        return replace(kept, captures=0), "left and right were exchanged"
    gap_s = t_s - track.t_s
    if gap_s > LONGEST_GAP_S:
        return replace(kept, captures=1), "seen in too few captures"
    allowed = min(_JITTER + _SPEED_PER_S * gap_s, _FARTHEST)
    if same_body(track.points_px, points_px, whole=True) > allowed or sides_exchanged(
        track.points_px, points_px
    ):
        return replace(kept, captures=1), "the body jumped between captures"
    kept = replace(kept, captures=track.captures + 1)
    if kept.captures < CAPTURES_NEEDED:
        return kept, "seen in too few captures"
    return replace(kept, trusted_t_s=t_s, trusted_px=points_px), ""
