"""Whether a recording for the depth camera has told enough: boards held so far, and what they leave open.

What is recorded is worked out anew afterwards, from the stillest pictures of the file and with every refusal:
here it is only asked when to stop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from calibration.board import Board, BoardView, find_board
from calibration.depth import LEAST_APART, LEAST_LEAN_DEG, DepthJudged, apart_of, find_depth, lean_deg_of
from calibration.depth_command import grounds_of, stated_camera
from calibration.depth_views import depth_views
from calibration.recorded_pictures import ALIKE_SHARE
from calibration.seeing import HOLD_S, STILL_SHARE, motion_px_s
from calibration.skin_error import DISTANCES_MM
from models.capture import Capture, DepthPicture
from models.geometry import Counts, Floats
from models.problems import InputError
from models.rig import Rig

ASKED_ALONG_MM, ASKED_ACROSS_MM = 4.0, 6.0
"""95 % on the skin 0.8 m away, twice one after the other: two thirds and three quarters of what is refused.
Of three drawn rigs, boards 0.45 to 0.9 m away, 10 boards come to 3.4 to 3.5 and 3.5 to 4.3 mm, 15 to 2.9 to
3.1 and 2.5 to 2.7, 24 to 2.7 and 1.7 to 1.9."""

LEAST_HELD = 10
"""Boards held still, before it is believed: among fewer one that errs does not stand out."""

SEEN_BEFORE_S = 1.0
"""A look is held against the one before where that is no older."""

_AT = DISTANCES_MM.index(800.0)


@dataclass(eq=False)
class BoardsHeld:
    """What colour and depth camera have seen of the board; for the thread that looks."""

    board: Board
    rig: Rig
    trouble: str = ""
    """Why these pictures would be for nothing, whatever is shown."""
    seen: str = ""
    """Why the last look shows no board; empty = it shows one."""
    pairs: list[tuple[BoardView, Counts]] = field(default_factory=list[tuple[BoardView, Counts]])
    """Each place once."""
    judged: DepthJudged | None = None
    """By all pairs; None = they are too few, or too much alike."""
    _deep: deque[DepthPicture] = field(default_factory=lambda: deque[DepthPicture](maxlen=32))
    _last: tuple[float, BoardView] | None = None
    _within: int = 0

    def begin(self) -> None:
        """A recording begins: what was held before it counts no more."""
        self.pairs, self.judged, self._last, self._within = [], None, None, 0
        self._deep.clear()

    def came(self, depth: Sequence[DepthPicture]) -> None:
        """Depth pictures, each once."""
        self._deep.extend(depth)

    def look(self, capture: Capture) -> None:
        """Look for the board in a colour picture; solve where it is held still in a new place."""
        assert capture.bgr is not None
        grey = np.asarray(cv2.cvtColor(capture.bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        view = find_board(grey, self.board, name=f"{capture.t_s:.2f} s")
        self.saw(capture.t_s, view, colour=grey.shape)

    def saw(self, t_s: float, view: BoardView | str, *, colour: tuple[int, ...]) -> None:
        """What was found in a colour picture of so many rows and columns."""
        if isinstance(view, str):
            self.seen, self._last = view, None
            return
        self.seen = ""
        before, self._last = self._last, (t_s, view)
        deep = min(self._deep, key=lambda one: abs(one.t_s - t_s), default=None)
        if deep is None or abs(deep.t_s - t_s) > HOLD_S or not self._goes_with(colour, deep):
            return
        if before is None or not _is_still(before, t_s, view, colour[1]):
            return
        alike_px = ALIKE_SHARE * colour[1]
        if any(motion_px_s(other, view, dt_s=1.0) < alike_px for other, _ in self.pairs):
            return
        self.pairs.append((view, deep.depth_mm))
        self._solve()

    @property
    def settled(self) -> bool:
        """Whether the last two boards each left it within what is asked."""
        return len(self.pairs) >= LEAST_HELD and self._within >= 2

    def missing(self) -> str:
        """What the boards held so far lack; empty where nothing does."""
        if len(self.pairs) < 3:
            return ""
        views = depth_views(self.pairs, self.board, lens=self._lens)
        if lean_deg_of(views) < 1.25 * LEAST_LEAN_DEG:
            return "lean it more, to the left, right, top and bottom"
        return "hold it nearer and farther too" if apart_of(views, self.board) < 1.2 * LEAST_APART else ""

    @property
    def _lens(self) -> Floats:
        return np.array([*self.rig.rgb.focal, *self.rig.rgb.distortion])

    def _goes_with(self, colour: tuple[int, ...], deep: DepthPicture) -> bool:
        """Whether pictures are of the rig's cameras: else the recording would be refused."""
        try:
            stated_camera(self.rig, None, colour, deep.depth_mm.shape, rig=Path("rig.toml"))
        except InputError as error:
            self.trouble = str(error)
            return False
        self.trouble = ""
        return True

    def _solve(self) -> None:
        if len(self.pairs) < LEAST_HELD - 1:
            return
        assert self.rig.depth is not None
        views = depth_views(self.pairs, self.board, lens=self._lens)
        if lean_deg_of(views) < LEAST_LEAN_DEG or apart_of(views, self.board) < LEAST_APART:
            return
        grounds = grounds_of(self.rig, self.rig.depth, self.board)
        found = find_depth(views, self.board, camera=self.rig.depth, rgb=self.rig.rgb, grounds=grounds)
        self.judged = found if isinstance(found, DepthJudged) else None
        self._within = self._within + 1 if self._is_within() else 0

    def _is_within(self) -> bool:
        one = self.judged
        if one is None or one.refusal is not None:
            return False
        return one.along_mm[_AT] <= ASKED_ALONG_MM and one.across_mm[_AT] <= ASKED_ACROSS_MM


def _is_still(before: tuple[float, BoardView], t_s: float, view: BoardView, width_px: int) -> bool:
    dt_s = t_s - before[0]
    if not HOLD_S <= dt_s <= SEEN_BEFORE_S:
        return False
    return motion_px_s(before[1], view, dt_s=dt_s) <= STILL_SHARE * width_px
