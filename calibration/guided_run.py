"""A guided calibration: pictures in, advice out; what is taken is kept, and each step ends in the rig.

The folder is what ``cryoguide calibrate all`` reads: a run can be solved again from it, picture by picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from calibration.advice import Advice, Sight
from calibration.board import find_board, find_tags
from calibration.board_step import RGB_ASKED_MM, THERMAL_ASKED_MM, BoardStep
from calibration.collar_step import CollarStep
from calibration.folder_steps import ACCEPTED, FOLDERS, KEPT, MISSING, Sheets, StepTold, give_nozzle, run_step
from calibration.pictures import spread_grey
from calibration.rig_text import read_tables
from calibration.seeing import quality_of
from calibration.thermal_command import known_camera
from calibration.tip_step import TipStep
from models.geometry import Bytes, Counts
from models.problems import InputError
from models.rig_file import read_rig
from models.rig_widened import widened
from models.sightings import Lost
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack

Step = BoardStep | CollarStep | TipStep
TITLES = {
    "rgb": "Colour camera",
    "thermal": "Thermal camera",
    "collar": "Collar of the nozzle",
    "tip": "Tip of the nozzle",
}
THINGS = {"rgb": "the board", "thermal": "the warmed target", "collar": "the nozzle", "tip": "the nozzle"}

GONE_S = 2.0
"""A recording that does not show the thing for so long has gone on to the next."""

IDLE_S = 8.0
"""Nor is one that shows nothing new for so long of use to the step: a nozzle leant is not turned any more."""

TIRED_AFTER = 40
"""Pictures of a step after which it may be ended above its limit. Where all is well boards are done with 25
(`calibration.board_step.MOST_PICTURES`) and the tip with 20 to 120 poses (own choice)."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is to be calibrated, and into what."""

    rig: Path
    """Gone on from where it is there, and written."""
    keep: Path
    """Folder for the pictures taken."""
    sheets: Sheets
    steps: tuple[str, ...]
    asked_mm: float | None = None
    """Of the cameras, 95 % at 0.8 m; None = the usual."""
    force: bool = False


class GuidedRun:
    """Goes through the steps; not for several threads."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        recorded: bool = False,
        going_on: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is taken yet.

        Args:
            wanted: What is to be calibrated.
            recorded: Whether pictures come from a recording, which does not heed what is asked: a step that
                is within its limit is then done when its thing is shown no more.
            going_on: Whether the folder for the pictures is in use by this sitting: what it holds of these
                steps is put aside.
            now: For the rig's dates.

        Raises:
            InputError: If the folder for the pictures holds some already.
        """
        if not going_on and wanted.keep.exists() and any(wanted.keep.iterdir()):
            raise InputError(f"{wanted.keep} holds files already; name an empty or new folder with --keep.")
        self.wanted, self._now = wanted, now
        self.told: dict[str, StepTold] = {}
        self._left = list(wanted.steps)
        self._step: Step | None = None
        self._track = NozzleTrack.start()
        self._saved, self._recorded, self._shown_s, self._taken_s = 0, recorded, 0.0, 0.0
        for name in wanted.steps:
            put_aside(wanted.keep / FOLDERS[name])

    @property
    def name(self) -> str | None:
        """Of the step under way; None = all are done."""
        return self._left[0] if self._left else None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done."""
        return not self._left

    @property
    def step(self) -> Step | None:
        """What was taken so far; None before its first picture."""
        return self._step

    def look(self, t_s: float, bgr: Bytes, thermal: Counts | Bytes | None) -> Advice | None:
        """See one pair of pictures; one that is useful is kept.

        Args:
            t_s: When the colour picture was taken.
            bgr: Shape (h, w, 3), blue green red.
            thermal: Of the same moment, shape (h, w); None = none came with it.

        Returns:
            What to do; None where all is done, or the step waits for a thermal camera.

        Raises:
            InputError: If a picture cannot be kept, or the rig cannot be read.
        """
        if not self._left:
            return None
        if self._step is None:
            self._step = self._begin(bgr, thermal)
        if self._step is None:
            return None
        sight = self._sight(t_s, bgr, thermal)
        after, advice = self._step.look(sight)
        if len(after.taken) > len(self._step.taken):
            self._keep(self._left[0], bgr, thermal)
            after = _lighter(after)
        self._step = after
        if advice.seen_px is not None:
            self._shown_s = t_s
        if advice.taken:
            self._taken_s = t_s
        gone = t_s - self._shown_s > GONE_S or t_s - self._taken_s > IDLE_S
        if self._recorded and self.is_within_limit and gone:
            return replace(advice, done=True)
        return advice

    @property
    def is_within_limit(self) -> bool:
        """Whether the step would not be refused as it stands, though more was asked for."""
        step = self._step
        if step is None or step.error_mm is None:
            return False
        return step.refusal is None and len(step.taken) >= 5

    @property
    def may_end(self) -> bool:
        """Whether it may be solved as it stands: within its limit, or with many pictures.

        More of the same do not mend it then; its refusal and remedy are to be told.
        """
        step = self._step
        tired = step is not None and step.error_mm is not None and len(step.taken) >= TIRED_AFTER
        return self.is_within_limit or tired

    def finish(self) -> StepTold:
        """Solve the step that is done and write it into the rig; the next begins, or this one anew.

        Raises:
            InputError: If the rig cannot be read or written.
        """
        name = self._left[0]
        if isinstance(self._step, TipStep):
            self._keep_poses(self._step)
        wanted = self.wanted
        told = run_step(name, wanted.keep, wanted.rig, wanted.sheets, force=wanted.force, now=self._now())
        self.told[name] = told
        self._step, self._saved, self._track = None, 0, NozzleTrack.start()
        if told.state in (ACCEPTED, KEPT):
            self._left.pop(0)
        else:
            put_aside(wanted.keep / FOLDERS[name])
        return told

    def skip(self, why: str = "Left out.") -> None:
        """Leave a step out, and what was taken for it; told is why."""
        if self._left:
            name = self._left.pop(0)
            self.told.setdefault(name, StepTold(name, MISSING, (why,)))
            self._step, self._saved, self._track = None, 0, NozzleTrack.start()

    def _begin(self, bgr: Bytes, thermal: Counts | Bytes | None) -> Step | None:
        name, wanted = self._left[0], self.wanted
        size = (bgr.shape[1], bgr.shape[0])
        if name == "rgb":
            asked = wanted.asked_mm or RGB_ASKED_MM
            return BoardStep.rgb(wanted.sheets.board, size_px=size, asked_mm=asked)
        if not wanted.rig.exists():
            raise InputError(f"{wanted.rig} is not there: the colour camera must be calibrated first.")
        if name == "thermal":
            if thermal is None:
                return None
            known = known_camera(read_tables(wanted.rig), size)
            return BoardStep.thermal(
                wanted.sheets.target,
                known,
                size_px=(thermal.shape[1], thermal.shape[0]),
                rgb_size_px=size,
                asked_mm=wanted.asked_mm or THERMAL_ASKED_MM,
            )
        give_nozzle(wanted.rig, wanted.sheets, now=self._now())
        rig, _ = read_rig(wanted.rig.read_text(encoding="utf-8"), where=str(wanted.rig))
        assert rig.nozzle is not None
        if (rig.rgb.width_px, rig.rgb.height_px) != size:
            raise InputError(
                f"The rig's colour camera has {rig.rgb.width_px} x {rig.rgb.height_px} pixels, the pictures"
                f" {size[0]} x {size[1]}; calibrate it with pictures of this size first."
            )
        relied = widened(rig, now=self._now())
        return CollarStep(rig, rig.nozzle) if name == "collar" else TipStep(relied, rig.nozzle)

    def _sight(self, t_s: float, bgr: Bytes, thermal: Counts | Bytes | None) -> Sight:
        step = self._step
        if isinstance(step, CollarStep | TipStep):
            found, self._track = track_nozzle(self._track, bgr, t_s=t_s, rig=step.rig)
            nozzle = found.reason if isinstance(found, Lost) else found
            return Sight(t_s, "was not looked at", nozzle=nozzle, bgr=bgr)
        assert step is not None
        board = step.board
        grey = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        colour = find_board(grey, board, name=_name(self._saved))
        quality = None if isinstance(colour, str) else quality_of(grey, colour, board)
        if step.name == "rgb" or thermal is None:
            return Sight(t_s, colour, quality)
        warm = spread_grey(thermal)
        seen = find_tags(warm, board, name=_name(self._saved), refinement=cv2.aruco.CORNER_REFINE_CONTOUR)
        return Sight(t_s, colour, quality, seen)

    def _keep(self, name: str, bgr: Bytes, thermal: Counts | Bytes | None) -> None:
        folder, file = self.wanted.keep / FOLDERS[name], _name(self._saved)
        self._saved += 1
        files = [(folder / file, bgr)]
        if name == "thermal":
            assert thermal is not None
            files = [(folder / "colour" / file, bgr), (folder / "thermal" / file, thermal)]
        for path, picture in files:
            _, packed = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            _write(path, packed.tobytes())

    def _keep_poses(self, step: TipStep) -> None:
        seen = step.poses()
        blocks = []
        for rotation, at_mm in zip(seen.rotations, seen.translations_mm, strict=True):
            rows = [*np.column_stack([rotation, at_mm]).tolist(), [0.0, 0.0, 0.0, 1.0]]
            blocks.append("\n".join(" ".join(f"{v:.9g}" for v in row) for row in rows))
        _write(self.wanted.keep / FOLDERS["tip"] / "poses.txt", ("\n\n".join(blocks) + "\n").encode())


def put_aside(where: Path) -> Path | None:
    """What is not used stays to be looked at, out of the way: where; None = nothing is there."""
    k = 1
    while (aside := where.with_name(f"{where.name}-refused-{k}")).exists():
        k += 1
    if not where.exists():
        return None
    return where.rename(aside)


def _lighter(step: Step) -> Step:
    """Without pictures that are kept on disk."""
    if isinstance(step, CollarStep):
        return replace(
            step, taken=(*step.taken[:-1], replace(step.taken[-1], bgr=None)), last=_bare(step.last)
        )
    return step


def _bare(sight: Sight | None) -> Sight | None:
    return None if sight is None else replace(sight, bgr=None)


def _name(number: int) -> str:
    return f"{number:03d}.png"


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another folder.") from error
    finally:
        if aside.parent.is_dir():
            aside.unlink(missing_ok=True)
