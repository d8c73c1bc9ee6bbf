"""Analysis of a recording: a loop over `step`, with files at its edge."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from guidance.alarms import close
from guidance.annunciator import advance
from guidance.checklist import FILE, checklist_figures, judge_checklist
from guidance.history_entry import coldest_tenth
from guidance.outcome import CellKnowledge, Outcome, PixelCells, Poster, Verdicts
from guidance.overlay import draw_overlay
from guidance.pipeline import step
from guidance.poster import better_poster, scene
from guidance.record import write_tables
from guidance.remember import go_on, look_up, remember
from guidance.replay import Comparison, collar_then, inputs, setup_then, with_agreement
from guidance.report import write_report
from guidance.rig_checked import checked_figures
from guidance.rows import TraceRows
from guidance.session import Alarm, Announcement, Guidance, OperatorAction
from guidance.state import Setup, State, begin
from guidance.summary import summarise
from guidance.thermal_found import thermal_remarks
from guidance.video import OverlayVideo
from guidance.warm_up import warm_up
from models.capture import Capture
from models.catalogue import (
    find,
    limits_in_zone,
    load_devices,
    load_protocols,
    load_questions,
    load_zones,
    unsuited,
)
from models.chart import measures_distance
from models.collar import Collar
from models.exposure import ExposureMap
from models.history_rules import SkinReading
from models.problems import InputError
from models.verdict import verdicts
from models.zone_side import zone_on_side
from vision.files import atomic_folder
from vision.landmarks import BodyEyes
from vision.mcap_recording import McapRecording
from vision.source import Source, open_source

OFF_MAP_S = 0.5
"""Gas off the map for longer is told; less is the turn of a sweep."""


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
        folder: The session: a folder, or a file of `guidance.recorder`.
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
        lambda: recording.attached(FILE), recording.treatment, load_questions(questions)
    )
    past = look_up(recording, history=history, subject=subject)
    with atomic_folder(out) as aside, ExitStack() as stack:
        replayed = recording if isinstance(recording, McapRecording) and from_sightings else None
        if replayed is not None:
            setup = setup_then(replayed)
        else:
            setup = go_on(set_up(recording, protocols=protocols), past, recording)
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
        outcome = remember(outcome, past, run.setup)
        on_progress(_progress(recording, run.colour_rows, outcome.duration_s, "writing the report"))
        stack.close()
        write_tables(outcome, aside)
        write_report(outcome, aside / "report.html")
    return outcome


def needs_eyes(recording: Source) -> bool:
    """Whether the body must be recognised: the zone is not tapped, and there is a colour picture."""
    return recording.frames > 0 and not recording.treatment.taps


def set_up(recording: Source, *, protocols: Path | None = None, eyes: BodyEyes | None = None) -> Setup:
    """Zone, protocol and device of a recording from the catalogue."""
    treatment = recording.treatment
    zone = zone_on_side(find(load_zones(), treatment.zone, what="zone"), treatment.side)
    protocol = find(load_protocols(protocols), treatment.protocol, what="protocol")
    if reason := unsuited(protocol, zone):
        raise InputError(f"{recording.name}/session.toml: {reason}")
    return Setup(
        treatment=treatment,
        zone=zone,
        protocol=limits_in_zone(protocol, zone),
        device=find(load_devices(), treatment.device, what="device"),
        rig=recording.rig,
        eyes=eyes,
        thermal_expected=recording.has_thermal,
        colour_expected=recording.frames > 0,
        depth_expected=recording.has_depth,
        hashes={
            "rig": recording.rig_sha256,
            "protocol": protocol.fingerprint,
            "models": eyes.bundle_sha256 if eyes is not None else None,
        },
    )


class Run:
    """One pass over a recording: state, rows and what the report wants to show."""

    def __init__(self, setup: Setup, recording: Source) -> None:
        """Start before the first capture."""
        self.setup = setup
        self.recording = recording
        self.state: State = begin(setup.carried)
        self.colour_rows = 0
        self._damaged = 0
        self._rows = TraceRows()
        self._alarms: list[Alarm] = []
        self._poster: Poster | None = None
        self._gas_off_s: float | None = None
        self._gas_before = False
        self._skin_before_gas: SkinReading | None = None

    def take(
        self, capture: Capture, actions: Sequence[OperatorAction] = (), *, setup: Setup | None = None
    ) -> Guidance:
        """Advance by one capture.

        Args:
            capture: The next one.
            actions: What the operator did since the one before.
            setup: In force from now on; as before where None.
        """
        self.setup = setup or self.setup
        self.state, guidance = step(self.state, capture, self.setup, actions)
        self._rows.add(guidance)
        self._alarms += guidance.ended
        self.colour_rows += capture.index is not None
        self._damaged += capture.index is not None and not capture.in_colour
        if self._gas_before and not guidance.gas_now:
            self._gas_off_s = guidance.t_s
        elif guidance.gas_now:
            self._gas_off_s = None
        self._gas_before = guidance.gas_now
        if self.state.gas_total_s <= 0.0 and not guidance.gas_now:
            self._skin_before_gas = self._zone_now(guidance) or self._skin_before_gas
        self._poster = better_poster(self._poster, capture, guidance, rig=self.setup.rig)
        return guidance

    def know(self, collar: Collar | None) -> None:
        """Take over what is known of the nozzle's tags, which a replay does not look at."""
        if collar is not None:
            self.state = replace(self.state, nozzle_track=replace(self.state.nozzle_track, collar=collar))

    def announce(self, actions: Sequence[OperatorAction]) -> Announcement:
        """What is displayed and sounds after an operator's actions, before the next capture comes.

        Nothing is kept of it: the next step is told of the actions, so that a replay, which knows steps only,
        gives the same.
        """
        state = self.state
        if not np.isfinite(state.t_s):
            return state.annunciator.announcement
        return advance(state.annunciator, state.board.active, actions, t_s=state.t_s).announcement

    def _zone_now(self, guidance: Guidance) -> SkinReading | None:
        """How warm the zone is, where it is observed well."""
        if self.state.on_skin is not None:
            return coldest_tenth(guidance.skin, self.state.on_skin.chart.in_zone)
        pixels = self.state.pixel_skin
        return coldest_tenth(pixels.skin, pixels.in_zone > 0.0) if pixels is not None else None

    def _told(self) -> tuple[str, ...]:
        """What the report must say beside its figures."""
        told: list[str] = []
        if self.state.off_map_s > OFF_MAP_S:
            told.append(
                f"Gas flowed for {self.state.off_map_s:.1f} s where the jet did not meet the charted skin:"
                " what it did there is in no figure of this report."
            )
        if self._damaged:
            told.append(f"{self._damaged} colour pictures are damaged and were left out.")
        told += thermal_remarks(self.state, self.setup)
        return tuple(told)

    def outcome(self, *, runtime_s: float) -> Outcome:
        """Everything that is written, after the last capture."""
        trace = self._rows.trace()
        setup, state, recording = self.setup, self.state, self.recording
        on_skin, pixel_skin = state.on_skin, state.pixel_skin
        chart = on_skin.chart if on_skin else None
        judged = None
        if on_skin is not None:
            judged = Verdicts(
                *verdicts(
                    on_skin.exposure, on_skin.chart, protocol=setup.protocol, tile_time_s=on_skin.tile_time_s
                )
            )
        alarms = tuple(sorted((*self._alarms, *close(state.board, t_s=state.t_s)), key=lambda a: a.t_on_s))
        duration_s = recording.duration_s
        return Outcome(
            name=recording.name,
            treatment=setup.treatment,
            zone=setup.zone,
            protocol=setup.protocol,
            device=setup.device,
            rig=setup.rig,
            duration_s=duration_s,
            chart=chart,
            pixel_cells=PixelCells("thermal", pixel_skin.pixels, pixel_skin.in_zone > 0.0)
            if pixel_skin
            else None,
            exposure=_exposure(state, setup),
            verdicts=judged,
            trace=trace,
            alarms=alarms,
            poster=self._poster,
            gas_stopped_s=self._gas_off_s,
            skin_before_gas=self._skin_before_gas,
            knowledge=CellKnowledge(on_skin.known_s, on_skin.known_jet_s) if on_skin else None,
            summary=summarise(setup, state, trace, alarms, judged, recording=recording, runtime_s=runtime_s)
            | {"rig_checked": checked_figures(recording, now=setup.treatment.started)},
            warnings=(*recording.warnings, *state.remarks, *self._told()),
        )


def _exposure(state: State, setup: Setup) -> ExposureMap | None:
    """The map as it is written: dwell that could not be measured is not known, not zero."""
    if state.on_skin is None:
        return state.pixel_skin.exposure if state.pixel_skin else None
    exposure = state.on_skin.exposure
    if measures_distance(state.on_skin.chart, setup.protocol):
        return exposure
    return replace(exposure, dwell_s=np.full(len(exposure.dwell_s), np.nan))
