"""Analysis of a recording: a loop over `step`, with files at its edge."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from guidance.checklist.answers import FILE, checklist_figures, judge_checklist
from guidance.history.remember import go_on, look_up, remember
from guidance.outcome import Outcome
from guidance.overlay.picture import draw_overlay
from guidance.overlay.poster import scene
from guidance.overlay.video import OverlayVideo
from guidance.recording.log_beside import LogBeside, log_beside
from guidance.recording.replay import Comparison, collar_then, inputs, setup_then, with_agreement
from guidance.recording.taken_over import taken_over
from guidance.report.page import write_report
from guidance.report.record import write_tables
from guidance.run import Run
from guidance.set_up import needs_eyes, set_up
from guidance.warm_up import warm_up
from models.catalogue import load_questions
from models.problems import InputError
from vision.files import atomic_folder
from vision.landmarks import BodyEyes
from vision.mcap_recording import McapRecording
from vision.source import Source, open_source


@dataclass(frozen=True)
class Progress:
    """How far the analysis is."""

    done: int
    total: int
    t_s: float
    note: str


def _progress(recording: Source, frames: int, t_s: float, note: str) -> Progress:
    """By colour pictures; by time, in ms, where there are none."""
    if recording.frames:
        return Progress(frames, recording.frames, t_s, note)
    total = max(1, round(1000.0 * recording.duration_s))
    return Progress(min(total, max(0, round(1000.0 * t_s))), total, t_s, note)


def analyse(
    folder: Path,
    *,
    out: Path,
    video: bool = True,
    models_dir: Path | None = None,
    protocols: Path | None = None,
    history: Path | None = None,
    subject: str | None = None,
    questions: Path | None = None,
    from_sightings: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Outcome:
    """Analyse a session folder or a recording, and write its report.

    Args:
        folder: The session: a folder, or a file of `guidance.recording.recorder`.
        out: Folder for the report; replaced as a whole when all of it is written, untouched before.
        video: Whether to write the annotated video.
        models_dir: The user's own landmark models.
        protocols: The user's own protocols.
        history: The file of earlier sessions, in which this one is kept; None = neither read nor written.
        subject: Code of the subject where the session names none.
        questions: The user's own questions before the gas.
        from_sightings: Replay a recording from what was seen then, with the settings of then, instead of
            looking at its pictures again.
        on_progress: Told after each capture.

    Raises:
        InputError: If the session cannot be read or the report cannot be written.
    """
    if from_sightings and protocols is not None:
        raise InputError(
            "A session is replayed with the protocol of then: leave out --protocols or --from-sightings."
        )
    recording = open_source(folder, from_sightings=from_sightings)
    on_progress(_progress(recording, 0, 0.0, "opening"))
    checked = judge_checklist(
        lambda: recording.attached(FILE),
        recording.treatment,
        load_questions(questions),
        played_at=recording.played_at if isinstance(recording, McapRecording) else None,
    )
    past = look_up(recording, history=history, subject=subject)
    with atomic_folder(out) as aside, ExitStack() as stack:
        replayed = recording if isinstance(recording, McapRecording) and from_sightings else None
        if replayed is not None:
            setup = setup_then(replayed)
        else:
            setup = go_on(set_up(recording, protocols=protocols), past, recording)
            if isinstance(recording, McapRecording):
                setup = taken_over(setup, setup_then(recording), known=past.sessions is not None)
        if replayed is None and needs_eyes(recording):
            on_progress(_progress(recording, 0, 0.0, "loading landmark models"))
            eyes = stack.enter_context(BodyEyes(models_dir=models_dir))
            setup = replace(setup, eyes=eyes, hashes=setup.hashes | {"models": eyes.bundle_sha256})
        on_progress(_progress(recording, 0, 0.0, "preparing the skin model"))
        warm_up(setup)
        overlay = None
        if video:
            overlay = stack.enter_context(OverlayVideo(aside / "annotated.mp4"))
        started_s = time.perf_counter()
        run, compared = Run(setup, recording), Comparison()
        for given in inputs(recording, setup):
            capture = given.capture
            guidance = run.take(capture, given.actions, setup=given.setup)
            compared.add(given.told, guidance)
            shown = scene(capture, guidance)
            if overlay is not None and shown is not None:
                picture = draw_overlay(
                    shown.bgr,
                    guidance,
                    rig=setup.rig,
                    protocol=setup.protocol,
                    zone=setup.zone,
                    zone_scale=shown.scale,
                    device=setup.device.name,
                )
                overlay.add(picture, t_s=capture.t_s)
            on_progress(_progress(recording, run.colour_rows, capture.t_s, "analysing"))
        if replayed is not None:
            run.know(collar_then(replayed))
        outcome = run.outcome(runtime_s=time.perf_counter() - started_s)
        if replayed is not None:
            outcome = with_agreement(outcome, compared.agreement)
        outcome = replace(
            outcome,
            checked=checked,
            summary=outcome.summary | {"checklist": checklist_figures(checked)},
            warnings=(*outcome.warnings, *((checked.remark,) if checked.remark else ())),
        )
        if isinstance(recording, McapRecording):
            outcome = _with_log(_as_played(outcome, recording.played_at), log_beside(recording))
        outcome = remember(outcome, past, run.setup)
        on_progress(_progress(recording, run.colour_rows, outcome.duration_s, "writing the report"))
        stack.close()
        write_tables(outcome, aside)
        write_report(outcome, aside / "report.html")
    return outcome


def _as_played(outcome: Outcome, played_at: datetime | None) -> Outcome:
    """Say in summary and warnings that this is no treatment but the replay of one; None = it is one."""
    if played_at is None:
        return outcome
    told = (
        f"This is the recording of a replay: the session of {outcome.treatment.started:%Y-%m-%d %H:%M %Z} was"
        f" played at the console on {played_at:%Y-%m-%d %H:%M %Z}. It is no treatment of its own."
    )
    return replace(
        outcome,
        summary=outcome.summary | {"played_at": played_at.isoformat()},
        warnings=(told, *outcome.warnings),
    )


def _with_log(outcome: Outcome, found: LogBeside | None) -> Outcome:
    """Say in summary and warnings how the log of actions and alarms stands beside its recording."""
    figures = None if found is None else {"file": found.name, "state": found.state, "lines": found.lines}
    words = () if found is None or not found.words else (found.words,)
    return replace(outcome, summary=outcome.summary | {"log": figures}, warnings=(*outcome.warnings, *words))
