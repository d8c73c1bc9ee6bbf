"""A session stepped capture by capture, live or recorded: its state, its rows, and its outcome at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from guidance.alarms.annunciator import advance
from guidance.alarms.episodes import close
from guidance.history.entry import coldest_tenth
from guidance.outcome import CellKnowledge, Outcome, PixelCells, Poster, Verdicts
from guidance.overlay.poster import better_poster
from guidance.pipeline import edited_since, step
from guidance.report.rows import TraceRows
from guidance.report.summary import summarise
from guidance.report.thermal_found import thermal_remarks
from guidance.report.zone_words import edited_figures, touch_remarks, zone_remarks
from guidance.rig_checked import checked_figures, rig_remarks
from guidance.session import Alarm, Announcement, Guidance, OperatorAction
from guidance.stages.state import Setup, State, begin
from guidance.zone_actions import TouchAction, TouchChecked, TouchSkipped
from models.capture import Capture
from models.carry import Carried
from models.chart import measures_distance
from models.collar import Collar
from models.exposure import ExposureMap
from models.history_rules import SkinReading
from models.verdict import verdicts
from vision.source import Source

OFF_MAP_S = 0.5
"""Gas off the map for longer is told; less is the turn of a sweep."""


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
        self._touch: TouchAction | None = None

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
        for action in actions:
            if isinstance(action, TouchChecked | TouchSkipped):
                self._touch = action
        before = self.state.on_skin
        self.state, guidance = step(self.state, capture, self.setup, actions)
        now = self.state.on_skin
        if before is not None and (now is None or now.chart is not before.chart):
            self._poster = None  # the maps have other cells now
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

    @property
    def touch(self) -> TouchAction | None:
        """The last touch check; None before."""
        return self._touch

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

    def preview(self, told: Guidance, capture: Capture, actions: Sequence[OperatorAction]) -> Guidance:
        """What the last step told, after an operator's actions, before the next capture comes.

        Nothing is kept of it, as in `announce`.

        Args:
            told: By the last step.
            capture: Of the last step.
            actions: Since then.
        """
        edited = edited_since(self.state, told, capture, self.setup, actions)
        return replace(edited, announcement=self.announce(actions))

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
        if (carried := self.setup.carried) is not None:
            told.append(gone_on_with(carried))
        if remark := self.setup.jet_remark:
            told.append(remark)
        told += thermal_remarks(self.state, self.setup)
        about = self.setup
        told += rig_remarks(about.rig, now=about.treatment.started, moved=about.moved_words)
        told += (*zone_remarks(self.state), *touch_remarks(self._touch))
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
            | edited_figures(state, self._touch)
            | {"rig_checked": checked_figures(recording, now=setup.treatment.started, rig=setup.rig)},
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


def gone_on_with(carried: Carried) -> str:
    """What an interrupted session has handed on, in one sentence for the reader of a report."""
    gap = (
        f"of which {carried.gap_gas_s:.1f} s count as gas that may have gone anywhere"
        if carried.gap_gas_s > 0.0
        else "with the valve closed before and after"
    )
    had = "" if carried.kept is not None else " No map of it is known: its gas may have gone anywhere."
    return (
        f"This session goes on from an interrupted one ({carried.recording_sha256[:12]}):"
        f" {carried.gas_s:.1f} s of gas before, then nobody watched for {carried.gap_s:.1f} s, {gap}.{had}"
        " Maps, upper bounds and tiles hold both; gas time and curves are those of this part."
    )
