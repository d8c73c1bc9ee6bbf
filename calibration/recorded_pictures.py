"""Single pictures out of a recording, for steps that take pictures: the stillest of each stretch of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from calibration.board import Board, BoardView, find_board
from calibration.pairs import DepthPair, Pair, read_depth_pairs, read_pairs
from calibration.pictures import spread_grey
from calibration.seeing import HOLD_S, STILL_SHARE, motion_px_s
from models.capture import DepthPicture, ThermalPicture
from models.geometry import Bytes, Counts, Floats
from models.problems import InputError
from vision.source import SUFFIX, Source, open_source

STRETCHES, SHORTEST_S = 60, 0.7
"""A recording is parted into so many stretches at most, none shorter than a board is held (own choice)."""

MOST_BOARDS = 25
"""Pictures of a board that are used, as in a guided run."""

ALIKE_SHARE = 0.02
"""Of the picture's width: where the corners have moved by less, it is the same view once more."""

MOST_COLLAR = 80
"""Pictures of a turning collar, as of a video."""

EDGE_EVERY_S, MOST_EDGES = 0.5, 20
"""Of a thermal recording of an edge so many pictures are taken, no closer."""

_WIDE_PX = 96


def is_recording(path: Path) -> bool:
    """Whether it is a recording or a session folder, not a folder of pictures or a video."""
    return (path.is_file() and path.suffix.lower() == SUFFIX) or (path / "session.toml").is_file()


def one_recording_or(folder: Path) -> Path:
    """The one recording that lies in a folder, or the folder itself where it holds anything else."""
    found = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return found[0] if len(found) == 1 else folder


@dataclass(frozen=True, eq=False)
class Still:
    """A colour picture, one from just before it, and the thermal and the depth one of its time."""

    t_s: float
    bgr: Bytes
    before_s: float
    before_bgr: Bytes
    thermal: Counts | None
    depth: Counts | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.t_s:.2f} s"


def board_pictures(path: Path, board: Board) -> tuple[list[tuple[str, Bytes]], list[str]]:
    """Views of a board held still, each but once, grey.

    Returns:
        Name and picture of each; and a sentence for each that will not do.

    Raises:
        InputError: If the recording cannot be read or has no colour pictures.
    """
    stills, left_out = _held(path, board)
    return [(one.name, _grey(one.bgr)) for one in stills], left_out


def pairs_of(colour: str, thermal: str | None, board: Board) -> tuple[list[Pair], list[str]]:
    """Pairs with thermal pictures of two folders; of one recording where ``thermal`` is None.

    Raises:
        InputError: See `read_pairs` and `board_pairs`.
    """
    if thermal is not None:
        return read_pairs(colour, thermal)
    return board_pairs(_recording_of(colour, other="thermal"), board)


def depth_pairs_of(colour: str, depth: str | None, board: Board) -> tuple[list[DepthPair], list[str]]:
    """Pairs with depth pictures of two folders; of one recording where ``depth`` is None.

    Raises:
        InputError: See `read_depth_pairs` and `board_depths`.
    """
    if depth is not None:
        return read_depth_pairs(colour, depth)
    return board_depths(_recording_of(colour, other="depth"), board)


def _recording_of(named: str, *, other: str) -> Path:
    if not is_recording(Path(named)):
        raise InputError(f"{named} is no recording; give one, or the colour and the {other} pictures.")
    return Path(named)


def board_pairs(path: Path, board: Board) -> tuple[list[Pair], list[str]]:
    """The same with the thermal picture of the same time.

    Raises:
        InputError: If the recording cannot be read, or has no colour or no thermal pictures.
    """
    stills, left_out = _held(path, board, thermal=True)
    pairs: list[Pair] = []
    for one in stills:
        if one.thermal is None:
            left_out.append(f"{one.name} has no thermal picture of its time")
        else:
            pairs.append(Pair(one.name, _grey(one.bgr), spread_grey(one.thermal)))
    if not pairs:
        raise InputError(f"{path} holds no thermal picture while the target is held still; record it again.")
    return pairs, left_out


def board_depths(path: Path, board: Board) -> tuple[list[DepthPair], list[str]]:
    """The same with the depth picture of the same time.

    Raises:
        InputError: If the recording cannot be read, or has no colour or no depth pictures.
    """
    stills, left_out = _held(path, board, depth=True)
    left_out += [f"{one.name} has no depth picture of its time" for one in stills if one.depth is None]
    pairs = [DepthPair(one.name, _grey(one.bgr), one.depth) for one in stills if one.depth is not None]
    if not pairs:
        raise InputError(f"{path} holds no depth picture while the board is held still; record it again.")
    return pairs, left_out


def turning_pictures(path: Path) -> tuple[list[str], list[Bytes]]:
    """Names and colour pictures of something turned slowly, those in which it moves least.

    Raises:
        InputError: If the recording cannot be read or has no colour pictures.
    """
    stills = list(_stills(_opened(path), most=MOST_COLLAR, shortest_s=0.0, hold_s=0.0))
    return [one.name for one in stills], [one.bgr for one in stills]


def thermal_pictures(path: Path) -> list[tuple[str, Floats]]:
    """Name and degC (NaN = no reading) of thermal pictures spread over a recording.

    Raises:
        InputError: If the recording cannot be read or has no thermal pictures.
    """
    source = open_source(path)
    every_s = max(EDGE_EVERY_S, source.duration_s / MOST_EDGES)
    found: list[tuple[str, Floats]] = []
    next_s = -np.inf
    for capture in source.captures():
        for one in capture.thermal:
            if not one.shutter and one.t_s >= next_s:
                counts = one.centikelvin.astype(float)
                found.append((f"{one.t_s:.2f} s", np.where(counts > 0.0, counts / 100.0 - 273.15, np.nan)))
                next_s = one.t_s + every_s
    if not found:
        raise InputError(f"{path} holds no thermal pictures; record the thermal camera.")
    return found


def _held(
    path: Path, board: Board, *, thermal: bool = False, depth: bool = False
) -> tuple[list[Still], list[str]]:
    source = _opened(path, thermal=thermal, depth=depth)
    used: list[tuple[Still, BoardView]] = []
    left_out: list[str] = []
    for still in _stills(source, most=STRETCHES, shortest_s=SHORTEST_S, hold_s=HOLD_S):
        view = find_board(_grey(still.bgr), board, name=still.name)
        if isinstance(view, str):
            left_out.append(f"{still.name} {view}")
            continue
        width_px = still.bgr.shape[1]
        if any(_apart_px(view, other) < ALIKE_SHARE * width_px for _, other in used):
            continue
        before = find_board(_grey(still.before_bgr), board, name=still.name)
        dt_s = still.t_s - still.before_s
        if isinstance(before, str) or motion_px_s(before, view, dt_s=dt_s) > STILL_SHARE * width_px:
            left_out.append(f"{still.name} shows the board moving; hold it still for a second")
            continue
        used.append((still, view))
    keep = np.unique(np.linspace(0, len(used) - 1, min(len(used), MOST_BOARDS)).round().astype(int))
    if not used:
        why = left_out[0] if left_out else "it is too short"
        raise InputError(f"{path} shows no board that is held still ({why}); record it again.")
    return [used[k][0] for k in keep], left_out


def _apart_px(view: BoardView, other: BoardView) -> float:
    return motion_px_s(other, view, dt_s=1.0)


def _opened(path: Path, *, thermal: bool = False, depth: bool = False) -> Source:
    source = open_source(path)
    lacks = "colour" if source.frames == 0 else "thermal" if thermal and not source.has_thermal else ""
    lacks = lacks or ("depth" if depth and not source.has_depth else "")
    if lacks:
        raise InputError(f"{path} holds no {lacks} pictures; record the {lacks} camera.")
    return source


@dataclass(eq=False)
class _Looked:
    t_s: float
    bgr: Bytes
    small: Floats


def _stills(source: Source, *, most: int, shortest_s: float, hold_s: float) -> Iterator[Still]:
    """Of each stretch the picture from which those within ``hold_s``, or the next ones, differ least."""
    long_s = max(source.duration_s / most, shortest_s, 1e-3)
    about: deque[_Looked] = deque()
    beside = _Beside()
    best: tuple[float, _Looked, _Looked] | None = None
    stretch = 0
    waiting: deque[Still] = deque()
    for capture in source.captures():
        beside.thermal.extend(one for one in capture.thermal if not one.shutter)
        beside.depth.extend(capture.depth)
        alone = not (source.has_thermal or source.has_depth)
        while waiting and (alone or capture.t_s - waiting[0].t_s > 2.0 * HOLD_S):
            yield beside.with_own(waiting.popleft())
        if capture.bgr is None:
            continue
        about.append(_Looked(capture.t_s, capture.bgr, _small(capture.bgr)))
        while len(about) > 3 and about[-1].t_s - about[1].t_s > 2.0 * hold_s:
            about.popleft()
        if len(about) < 3 or about[-1].t_s - about[0].t_s < 2.0 * hold_s:
            continue
        middle = min(range(1, len(about) - 1), key=lambda k: abs(about[k].t_s - about[-1].t_s + hold_s))
        now = about[middle]
        if int(now.t_s / long_s) != stretch and best is not None:
            waiting.append(_still(best))
            best = None
        stretch = int(now.t_s / long_s)
        moves = max(float(np.abs(one.small - now.small).mean()) for one in about)
        if best is None or moves < best[0]:
            best = (moves, now, about[middle - 1])
    if best is not None:
        waiting.append(_still(best))
    for one in waiting:
        yield beside.with_own(one)


def _still(best: tuple[float, _Looked, _Looked]) -> Still:
    _, now, before = best
    return Still(now.t_s, now.bgr, before.t_s, before.bgr, None)


@dataclass(eq=False)
class _Beside:
    """The last pictures of the other cameras."""

    thermal: deque[ThermalPicture] = field(default_factory=lambda: deque[ThermalPicture](maxlen=64))
    depth: deque[DepthPicture] = field(default_factory=lambda: deque[DepthPicture](maxlen=64))

    def with_own(self, still: Still) -> Still:
        """With those of its time."""
        warm = min(self.thermal, key=lambda one: abs(one.t_s - still.t_s), default=None)
        deep = min(self.depth, key=lambda one: abs(one.t_s - still.t_s), default=None)
        return replace(
            still,
            thermal=warm.centikelvin if warm is not None and abs(warm.t_s - still.t_s) <= HOLD_S else None,
            depth=deep.depth_mm if deep is not None and abs(deep.t_s - still.t_s) <= HOLD_S else None,
        )


def _small(bgr: Bytes) -> Floats:
    height = max(1, round(_WIDE_PX * bgr.shape[0] / bgr.shape[1]))
    small = cv2.resize(_grey(bgr), (_WIDE_PX, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, float)


def _grey(bgr: Bytes) -> Bytes:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
