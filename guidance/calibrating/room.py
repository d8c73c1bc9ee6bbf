"""A guided calibration as it runs behind its page: pictures in on a thread of its own, what is shown out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from calibration.advice import Advice
from calibration.certificate import certificate_path
from calibration.folder_steps import ACCEPTED, KEPT, StepTold
from calibration.guided_run import THINGS, TITLES, GuidedRun, Wanted
from calibration.holding import DISTANCES, LEANS
from calibration.pictures import spread_grey
from calibration.scale import Scale, scale_of
from models.geometry import Bytes, Counts, Floats
from models.problems import InputError

Pictures = Callable[[threading.Event], Iterator[tuple[float, Bytes, Counts | None]]]
"""Time, colour picture and the thermal one that came with it, until the event is set."""

PRINT, RUNNING, SOLVING, REFUSED, OVER = "print", "running", "solving", "refused", "over"

_SHOWN_PX, _QUALITY = 960, 75


class CalibrationRoom:
    """What pages are told; `do` may be called from any thread."""

    def __init__(
        self,
        pictures: Pictures,
        wanted: Callable[[Scale], Wanted],
        *,
        scale: Scale | None = None,
        waits: bool = False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing runs yet.

        Args:
            pictures: Where they come from.
            wanted: What is to be calibrated, once the sheets' scale is known.
            scale: Of the sheets, where it was measured before.
            waits: Whether pictures are of a recording: they wait until the sheets are measured.
            on_change: Told on the room's thread that there is something new to show.
        """
        self._pictures, self._make, self.on_change = pictures, wanted, on_change
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="calibration", daemon=True)
        self._waits, self._begun, self._answered = waits, threading.Event(), threading.Event()
        self._answered.set()
        self.phase, self.trouble, self.print_trouble = PRINT, "", ""
        self._run: GuidedRun | None = None
        self._advice: Advice | None = None
        self._refused: StepTold | None = None
        self._parts: dict[str, bytes] = {}
        self._scale_shown, self._skips, self._enough = 1.0, 0, False
        self.number = self.taken_total = 0
        if scale is not None:
            self._begin(scale)

    def start(self) -> None:
        """Begin to read pictures."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._begun.set()
        self._answered.set()
        self._thread.join(5.0)

    @property
    def certificate(self) -> Path | None:
        """The page beside the rig, where there is one."""
        path = certificate_path(self._run.wanted.rig) if self._run is not None else None
        return path if path is not None and path.exists() else None

    def measured(self, mm: float | None, *, insist: bool) -> None:
        """The ruler on the sheet was measured; None = it was not."""
        with self._lock:
            if self.phase != PRINT:
                return
            try:
                self._begin(scale_of(mm, insist=insist))
                self.print_trouble = ""
            except InputError as error:
                self.print_trouble = str(error).replace(" with --insist", "")  # a button on the page
        self._changed()

    def skip(self) -> None:
        """Leave the step under way out."""
        with self._lock:
            self._skips += self.phase in (RUNNING, REFUSED)
            if self.phase == REFUSED:
                self.phase, self._refused = RUNNING, None
                self._answered.set()

    def enough(self) -> None:
        """End the step under way with what was taken, where that is within its limit."""
        with self._lock:
            self._enough = self.phase == RUNNING

    def again(self) -> None:
        """Take the pictures of a refused step again."""
        with self._lock:
            if self.phase == REFUSED:
                self.phase, self._refused = RUNNING, None
                self._answered.set()
        self._changed()

    def told(self) -> tuple[dict[str, object], dict[str, bytes]]:
        """What a page shows now: figures and words, and pictures by name."""
        with self._lock:
            run, step = self._run, self._run.name if self._run is not None else None
            steps = run.wanted.steps if run is not None else ()
            head: dict[str, object] = {
                "number": self.number,
                "phase": self.phase,
                "step": step,
                "thing": THINGS[step] if step is not None else "",
                "steps": [_step_told(name, run) for name in steps],
                "trouble": self.trouble,
                "print_trouble": self.print_trouble,
                "refused": _refusal(self._refused),
                "rig": str(run.wanted.rig) if run is not None else "",
                "scale": self._scale_shown,
                "taken_total": self.taken_total,
                "advice": None if self._advice is None else _advice_told(self._advice),
            }
            return head, dict(self._parts)

    def _begin(self, scale: Scale) -> None:
        self._run = GuidedRun(self._make(scale), recorded=self._waits)
        self.phase = RUNNING
        self._begun.set()

    def _work(self) -> None:
        try:
            for t_s, bgr, thermal in self._pictures(self._stop):
                if self._stop.is_set():
                    return
                self._one(t_s, bgr, thermal)
                if self._waits:
                    self._begun.wait()
                    self._answered.wait()
                if self.phase == OVER:
                    return
            if self.phase not in (OVER, PRINT):
                self._ended()
        except InputError as error:
            self.trouble = str(error)
        except Exception as error:  # the page must not stay still as if all were well
            self.trouble = f"This is a fault of cryoguide ({type(error).__name__}: {error})."
        self._changed()

    def _one(self, t_s: float, bgr: Bytes, thermal: Counts | None) -> None:
        run = self._run
        advice = None
        if run is not None and self.phase == RUNNING:
            with self._lock:
                skips, self._skips = self._skips, 0
            for _ in range(skips):
                run.skip()
            advice = run.look(t_s, bgr, thermal)
        parts = _parts(bgr, thermal)
        with self._lock:
            self._advice, self._parts = advice, parts
            self._scale_shown = min(1.0, _SHOWN_PX / bgr.shape[1])
            self.taken_total += advice is not None and advice.taken
            enough, self._enough = self._enough and run is not None and run.is_within_limit, False
            if advice is not None and (advice.done or enough):
                self.phase = SOLVING
            elif run is not None and run.is_over:
                self.phase = OVER
        self._changed()
        if self.phase == SOLVING and run is not None:
            self._solve(run)

    def _solve(self, run: GuidedRun) -> None:
        told = run.finish()
        with self._lock:
            if told.state in (ACCEPTED, KEPT):
                self.phase = OVER if run.is_over else RUNNING
            else:
                self.phase, self._refused = REFUSED, told
                self._answered.clear()  # what is played waits for what is answered
            self._advice = None
        self._changed()

    def _ended(self) -> None:
        """A recording is at its end: what is good enough already is solved, the rest is left out."""
        run = self._run
        while run is not None and not run.is_over:
            step = run.step
            if step is not None and step.error_mm is not None:
                told = run.finish()
                if told.state in (ACCEPTED, KEPT):
                    continue
            run.skip()
        self.phase = OVER

    def _changed(self) -> None:
        with self._lock:
            self.number += 1
        self.on_change()


def _step_told(name: str, run: GuidedRun | None) -> dict[str, object]:
    told = run.told.get(name) if run is not None else None
    state, lines = ("open", ()) if told is None else (told.state, told.lines)
    return {"name": name, "title": TITLES[name], "state": state, "lines": list(lines)}


def _refusal(told: StepTold | None) -> dict[str, object] | None:
    return None if told is None else {"title": TITLES[told.name], "lines": list(told.lines)}


def _advice_told(advice: Advice) -> dict[str, object]:
    coverage = advice.coverage
    covered = None
    if coverage is not None:
        covered = {
            "cells": coverage.cells.tolist(),
            "leans": list(zip(LEANS, coverage.leans, strict=True)),
            "distances": list(zip(DISTANCES, coverage.distances, strict=True)),
        }
    return {
        "taken": advice.taken,
        "say": advice.say,
        "say_plain": advice.say_plain,
        "why": advice.why,
        "warnings": list(advice.warnings),
        "count": advice.count,
        "least": advice.least,
        "error_mm": advice.error_mm,
        "foretold_mm": advice.foretold_mm,
        "asked_mm": advice.asked_mm,
        "limit_mm": advice.limit_mm,
        "missing": list(advice.missing),
        "coverage": covered,
        "seen": _pixels(advice.seen_px),
        "ghost": [_pixels(outline) for outline in advice.ghost_px],
    }


def _pixels(px: Floats | None) -> list[list[float]]:
    """Pixels that can be drawn."""
    if px is None:
        return []
    return [[round(float(x), 1), round(float(y), 1)] for x, y in px if np.isfinite(x) and np.isfinite(y)]


def _parts(bgr: Bytes, thermal: Counts | None) -> dict[str, bytes]:
    height, width = bgr.shape[:2]
    share = min(1.0, _SHOWN_PX / width)
    small = bgr
    if share < 1.0:
        small = cv2.resize(bgr, (round(share * width), round(share * height)), interpolation=cv2.INTER_AREA)
    parts = {"jpeg": _jpeg(np.asarray(small, np.uint8))}
    if thermal is not None:
        parts["warm"] = _jpeg(
            np.asarray(cv2.applyColorMap(spread_grey(thermal), cv2.COLORMAP_INFERNO), np.uint8)
        )
    return parts


def _jpeg(picture: Bytes) -> bytes:
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return packed.tobytes()
