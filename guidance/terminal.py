"""What the command line prints: a progress line, the session in a table, the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from guidance.outcome import Outcome
from guidance.session import Alarm
from models.protocol import SEAL, Protocol
from models.zone import Zone

_UNKNOWN = "not known"
_PRIORITY_STYLE = {"high": "bold red", "medium": "yellow", "low": "cyan"}


class ProgressLine:
    """A progress bar on stderr; plain lines at every tenth where stderr is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Start nothing yet."""
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.fields[session_time]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, session_time="")
        self._said = (-1, "")

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._console.is_terminal:
            self._bar.stop()

    def say(self, note: str) -> None:
        """Say what goes on while its length is not known."""
        self.show(0, 0, t_s=0.0, note=note)

    def show(self, done: int, total: int, *, t_s: float, note: str) -> None:
        """Show how far the work is.

        Args:
            done: Captures done.
            total: Captures in all, 0 where not known.
            t_s: Session time of the latest capture.
            note: What goes on, a few words.
        """
        if self._console.is_terminal:
            time = f"{t_s:6.1f} s" if total else ""
            self._bar.update(
                self._task, completed=done, total=total or None, description=note, session_time=time
            )
            return
        tenth = done * 10 // total if total else 0
        if total and (tenth, note) != self._said:
            self._said = (tenth, note)
            self._console.print(f"{tenth * 10:3d} %  {t_s:6.1f} s  {note}".rstrip(), markup=False)


def print_outcome(outcome: Outcome, *, folder: Path, console: Console | None = None) -> None:
    """Print the session in a table, its alarms, and where report and video are."""
    console = console or Console()
    console.print(_session_table(outcome))
    console.print(_alarm_table(outcome) if outcome.alarms else Text("No alarms.", style="green"))
    _print_earlier(outcome, console)
    for warning in outcome.warnings:
        console.print(Text(f"Note: {warning}", style="yellow"))
    if outcome.protocol.approved_by is None:
        console.print(
            Text(f"Note: protocol {outcome.protocol.name} is not approved by a clinician.", style="yellow")
        )
    for label, name in (("Report", "report.html"), ("Video", "annotated.mp4")):
        if (folder / name).exists():
            console.print(Text(f"{label:7s}{folder / name}"), soft_wrap=True)


def _print_earlier(outcome: Outcome, console: Console) -> None:
    """What the history says, what refuses first."""
    verdict = outcome.earlier.verdict if outcome.earlier is not None else None
    for reason in verdict.reasons if verdict is not None else ():
        word, style = ("Refused", "bold red") if reason.refuses else ("Warning", "yellow")
        console.print(Text(f"{word}: {reason.words}", style=style))


def _session_table(outcome: Outcome) -> Table:
    summary = outcome.summary
    zone = _mapping(summary.get("zone"))
    side = "" if outcome.treatment.side == "both" else f", {outcome.treatment.side}"
    rows = {
        "Zone": f"{outcome.zone.title}{side}",
        "Protocol": f"{outcome.protocol.title}, {outcome.protocol.approval}",
        "Duration": _figure(outcome.duration_s, ".1f", "s"),
        "Area": _figure(zone.get("area_cm2"), ".0f", "cm2"),
        "Placed by": _words(zone.get("anchored_by")),
        "Surface by": _words(zone.get("surface_by")),
        "Reached the target": _figure(summary.get("coverage_pct"), ".0f", "% of the zone"),
        "Overexposed": _figure(summary.get("overexposed_cm2"), ".1f", "cm2"),
        "Unknown": _figure(summary.get("unknown_cm2"), ".1f", "cm2"),
        "Longest dwell": _figure(summary.get("peak_dwell_cm2_s"), ".1f", "s (mean over 1 cm2)"),
        "Lowest temperature": _bounded(summary.get("min_degc"), summary.get("min_u95_degc"), "degC"),
        "Nozzle tracked": _figure(summary.get("tracked_pct"), ".1f", "% of the frames"),
        "Unassigned": _figure(summary.get("unassigned_s"), ".1f", "s of gas that no cell could be given"),
    }
    if reason := summary.get("zone_not_placed_because"):
        rows["Zone not placed"] = str(reason)
    if reason := summary.get("distance_not_measured_because"):
        rows["Distance"] = f"cannot be measured with this rig: {reason}"
    table = Table(title=Text(outcome.name), show_header=False, title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("figure")
    for what, figure in rows.items():
        table.add_row(what, Text(figure, style="yellow" if figure == _UNKNOWN else ""))
    return table


def _alarm_table(outcome: Outcome) -> Table:
    table = Table(title="Alarms", title_justify="left")
    table.add_column("cause", no_wrap=True)
    for heading in ("times", "first", "what the operator was told"):
        table.add_column(heading)
    episodes: dict[tuple[int, str], list[Alarm]] = {}
    rank = {"high": 0, "medium": 1, "low": 2}
    for alarm in sorted(outcome.alarms, key=lambda alarm: alarm.t_on_s):
        episodes.setdefault((rank.get(alarm.priority, 3), alarm.cause), []).append(alarm)
    for _, found in sorted(episodes.items(), key=lambda item: (item[0][0], item[1][0].t_on_s)):
        first = found[0]
        table.add_row(
            Text.assemble(first.cause, "\n", (first.priority, _PRIORITY_STYLE.get(first.priority, ""))),
            str(len(found)),
            f"{first.t_on_s:.2f} s",
            Text(first.message),
        )
    return table


def print_zones(zones: Mapping[str, Zone], *, console: Console | None = None) -> None:
    """Print the zones of the catalogue."""
    table = Table(show_lines=True)
    table.add_column("zone", width=18)
    for heading in ("sides", "size (cm)", "found by", "left out"):
        table.add_column(heading)
    for zone in zones.values():
        table.add_row(
            _headed(zone.name, zone.title),
            Text(", ".join(zone.sides)),
            f"{zone.width_mm / 10:.0f} x {zone.length_mm / 10:.0f}",
            "tap or skin tags" if zone.anchor is None else "landmarks, tap or skin tags",
            Text(", ".join(area.name for area in zone.leave_out) or "-"),
        )
    (console or Console()).print(table)


def print_protocols(protocols: Mapping[str, Protocol], *, console: Console | None = None) -> None:
    """Print the treatment protocols with the limits that are watched."""
    table = Table(show_lines=True)
    table.add_column("protocol", width=20)
    for heading in (
        "for",
        "target; warn, STOP (degC)",
        "distance (cm)",
        "time: tile; session (s)",
        "again after",
    ):
        table.add_column(heading)
    for protocol in protocols.values():
        band, skin, time, again = protocol.distance, protocol.skin_degc, protocol.zone_time_s, protocol.again
        a_day = "" if again.a_day is None else f"\n{again.a_day.value:g} a day"
        table.add_row(
            Text.assemble(
                _headed(protocol.name, protocol.title),
                "\n",
                (protocol.approval, "" if protocol.approved_by else "yellow"),
            ),
            protocol.mode,
            f"{protocol.target_low_degc:g} to {protocol.target_high_degc:g}\n{skin.warn:g}, {skin.stop:g}",
            f"{band.good_low_mm / 10:g} to {band.good_high_mm / 10:g}",
            f"{time.warn:g}, {time.stop:g}\n{protocol.session_time_s:g}",
            f"{again.interval_s.value / 3600:g} h{a_day}\nabove {again.rewarmed_degc.value:g} degC",
        )
    (console or Console()).print(table)


def print_checked(protocols: Mapping[str, Protocol], *, console: Console | None = None) -> None:
    """Print the fingerprint of each protocol of a file that was read without a mistake, and its approval."""
    table = Table()
    for heading in ("protocol", "figures", "approval"):
        table.add_column(heading, no_wrap=heading == "figures")
    for protocol in protocols.values():
        style = "" if protocol.approved_by else "yellow"
        table.add_row(protocol.name, protocol.fingerprint[:SEAL], Text(protocol.approval, style=style))
    (console or Console()).print(table)


def _headed(name: str, title: str) -> Text:
    return Text.assemble((name, "bold"), "\n", title)


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _words(value: object) -> str:
    return str(value).replace("_", " ") if value else _UNKNOWN


def _figure(value: object, form: str, unit: str) -> str:
    """A number with its unit; what is not known is said to be so, never printed as zero."""
    if not isinstance(value, int | float) or value != value:
        return _UNKNOWN
    return f"{value:{form}} {unit}"


def _bounded(value: object, bound: object, unit: str) -> str:
    figure = _figure(value, ".1f", unit)
    if figure == _UNKNOWN:
        return figure
    spread = _figure(bound, ".1f", unit)
    return f"{figure} (bound {_UNKNOWN})" if spread == _UNKNOWN else f"{figure} +- {spread} (95 %)"
