"""Reading one protocol or device class out of its table."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from models.protocol import (
    SEAL,
    Again,
    Device,
    DistanceBand,
    Evidence,
    JetFlow,
    Ladder,
    Protocol,
    Rule,
    ZoneLimits,
)
from models.toml_table import Table

CONFIDENCES = ("high", "medium", "low")
GASES = ("air", "nitrogen", "carbon dioxide")

MODES = {"analgesia": (7.0, 15.0), "thermal shock": (2.0, 10.0), "gentle face": (7.0, 20.0)}
"""What a protocol may be for, and where its target band may then lie, degC. Below 7 skin is numb and the
subject's word no longer a safeguard, from 15 up nothing is numbed (ColdSurf, ISO 13732-3; Chesterton 2002).
Thermal shock begins at the lowest target of the FDA-cleared device (K203661); its upper end and that of the
face are our own choice."""


def read_evidence(table: Table) -> Evidence:
    """Read ``source`` and ``confidence`` of a table."""
    return Evidence(table.text("source"), table.text("confidence", choices=CONFIDENCES))


class _Figures:
    """Reads figures with their evidence: one inline table each."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.evidence: dict[str, Evidence] = {}

    def open(self, key: str, *, name: str | None = None) -> Table:
        """The figure's table, its evidence noted; the caller reads the numbers and calls ``done``."""
        figure = self.table.table(key)
        self.evidence[name or key] = read_evidence(figure)
        return figure

    def value(self, key: str, *, low: float, high: float) -> float:
        """A figure ``{ value, source, confidence }``."""
        figure = self.open(key)
        value = figure.number("value", low=low, high=high)
        figure.done()
        return value

    def ladder(self, key: str, *, low: float, high: float, falling: bool) -> Ladder:
        """A figure ``{ warn, stop, source, confidence }`` whose warning comes before its STOP."""
        figure = self.open(key)
        ladder = Ladder(figure.number("warn", low=low, high=high), figure.number("stop", low=low, high=high))
        figure.done()
        if figure.sound and not in_order(ladder, falling=falling):
            side = "above" if falling else "below"
            self.table.wrong(
                key, f"warns at {ladder.warn:g} and stops at {ladder.stop:g}: warn must lie {side} stop"
            )
        return ladder


def in_order(ladder: Ladder, *, falling: bool) -> bool:
    """Whether the warning of a ladder comes before its STOP."""
    return ladder.warn > ladder.stop if falling else ladder.warn < ladder.stop


def read_device(name: str, table: Table) -> Device:
    """Read one device class; mistakes are noted in the table."""
    figures = _Figures(table)
    device = Device(
        name=name,
        title=table.text("title"),
        outlet_degc=figures.value("outlet_degc", low=-196.0, high=20.0),
        bore_mm=figures.value("bore_mm", low=0.5, high=60.0),
        film_w_m2k=figures.value("film_w_m2k", low=1.0, high=2000.0),
        skin_gas_degc=figures.value("skin_gas_degc", low=-196.0, high=20.0),
        flow=_flow(table.table("cooling")),
        evidence=figures.evidence,
    )
    if device.skin_gas_degc < device.outlet_degc:
        table.wrong("skin_gas_degc", "is colder than the gas at the outlet")
    table.done()
    return device


def _flow(table: Table) -> JetFlow:
    """Read what is known of the jet."""
    figures = _Figures(table)
    flow = JetFlow(
        gas=table.text("gas", choices=GASES),
        outlet_m_s=figures.value("outlet_m_s", low=0.1, high=400.0),
        decay=figures.value("decay", low=1.0, high=20.0),
        within_factor=figures.value("within_factor", low=1.05, high=10.0),
        evidence=figures.evidence,
    )
    table.done()
    return flow


def read_protocol(
    name: str, table: Table, devices: Mapping[str, Device], zones: Collection[str] = ()
) -> Protocol:
    """Read one protocol and check what belongs together; mistakes are noted in the table.

    Args:
        name: Name of the protocol.
        table: Its table.
        devices: The device classes that there are.
        zones: The zones that there are, for limits of one zone.
    """
    figures = _Figures(table)
    target = figures.open("target_degc")
    target_low, target_high = (target.number(key, low=0.0, high=30.0) for key in ("low", "high"))
    target.done()
    # Skin limits at or below 0 degC (freezing injury, ISO 13732-3) or above 30 degC are refused outright.
    protocol = Protocol(
        name=name,
        title=table.text("title"),
        device=table.text("device", choices=tuple(devices)),
        mode=table.text("mode", choices=tuple(MODES)),
        target_low_degc=target_low,
        target_high_degc=target_high,
        advisory_degc=figures.value("advisory_degc", low=0.1, high=30.0),
        skin_degc=figures.ladder("skin_degc", low=0.1, high=30.0, falling=True),
        predicted_s=figures.ladder("predicted_s", low=0.1, high=60.0, falling=True),
        confirm_pictures=_whole(figures, "confirm_pictures", low=1, high=10),
        distance=_distance(figures),
        zone_time_s=figures.ladder("zone_time_s", low=1.0, high=3600.0, falling=False),
        session_time_s=figures.value("session_time_s", low=1.0, high=7200.0),
        static_speed_cm_s=figures.value("static_speed_cm_s", low=0.05, high=20.0),
        static_s=figures.ladder("static_s", low=0.1, high=120.0, falling=False),
        dwell_s=figures.ladder("dwell_s", low=0.1, high=3600.0, falling=False),
        below_10_s=figures.ladder("below_10_s", low=0.0, high=7200.0, falling=False),
        below_4_s=figures.ladder("below_4_s", low=0.0, high=7200.0, falling=False),
        below_2_s=figures.ladder("below_2_s", low=0.0, high=7200.0, falling=False),
        incidence_warn_deg=_incidence(figures),
        **_sweep(figures),
        again=_again(figures),
        approved_by=table.optional_text("approved_by"),
        evidence=figures.evidence,
        in_zone=_in_zone(table, zones),
    )
    if not protocol.target_low_degc < protocol.target_high_degc:
        table.wrong("target_degc", "must have low below high")
    low, high = MODES.get(protocol.mode, (0.0, 30.0))
    if protocol.target_low_degc < low or protocol.target_high_degc > high:
        table.wrong(
            "target_degc", f"of a protocol for {protocol.mode} must lie from {low:g} to {high:g} degC"
        )
    if protocol.zone_time_s.stop > protocol.session_time_s:
        table.wrong("zone_time_s", "stops later than the whole session: session_time_s must not be shorter")
    if not protocol.static_speed_cm_s < protocol.sweep_low_cm_s:
        table.wrong("sweep_cm_s", "must lie above static_speed_cm_s, at which a nozzle counts as still")
    if not protocol.skin_degc.warn <= protocol.advisory_degc <= protocol.target_low_degc:
        table.wrong(
            "advisory_degc", "must lie between the warning of skin_degc and the low end of target_degc"
        )
    _check_seal(protocol, table)
    table.done()
    return protocol


def _check_seal(protocol: Protocol, table: Table) -> None:
    """An approval that names the figures' fingerprint holds for these figures only."""
    sealed = table.optional_text("approved_figures")
    if sealed is None or not table.sound:
        return
    if protocol.approved_by is None:
        table.wrong("approved_figures", "seals figures that nobody approved: add approved_by")
    elif sealed != protocol.fingerprint[:SEAL]:
        table.wrong(
            "approved_figures",
            f"is {sealed!r}, but these figures have {protocol.fingerprint[:SEAL]!r}: they were changed after"
            " the approval, so have them approved again",
        )


def _sweep(figures: _Figures) -> dict[str, float]:
    figure = figures.open("sweep_cm_s")
    low, high = (figure.number(key, low=0.1, high=50.0) for key in ("low", "high"))
    figure.done()
    if figure.sound and not low < high:
        figures.table.wrong("sweep_cm_s", "must have low below high")
    return {"sweep_low_cm_s": low, "sweep_high_cm_s": high}


def _again(figures: _Figures) -> Again:
    """When a zone may be treated again."""
    again = Again(
        interval_s=_rule(figures, "zone_interval_s", low=600.0, high=14 * 86400.0),
        a_day=_rule(figures, "sessions_a_day", low=1.0, high=24.0)
        if figures.table.has("sessions_a_day")
        else None,
        # A resting hand may be at 29 degC (Korman), so none above 34 can be kept; below 20 none helps.
        rewarmed_degc=_rule(figures, "rewarmed_degc", low=20.0, high=34.0),
        resume_within_s=figures.value("resume_within_s", low=0.0, high=3600.0),
        perfusion_low_s=figures.value("perfusion_low_s", low=0.0, high=86400.0),
    )
    if again.a_day is not None and again.a_day.value != int(again.a_day.value):
        figures.table.wrong("sessions_a_day", f"must be a whole number, not {again.a_day.value:g}")
    if not again.resume_within_s < again.interval_s.value:
        figures.table.wrong("resume_within_s", "must be shorter than zone_interval_s")
    return again


def _rule(figures: _Figures, key: str, *, low: float, high: float) -> Rule:
    """A figure ``{ value, then, source, confidence }``."""
    figure = figures.open(key)
    rule = Rule(
        figure.number("value", low=low, high=high),
        figure.text("then", choices=("refuse", "warn")) == "refuse",
    )
    figure.done()
    return rule


def _in_zone(table: Table, zones: Collection[str]) -> dict[str, ZoneLimits]:
    """Figures for single zones."""
    found: dict[str, ZoneLimits] = {}
    if not table.has("in_zone"):
        return found
    outer = table.table("in_zone")
    for name in outer.names():
        inner = outer.table(name)
        if name not in zones:
            outer.wrong(name, f"is no zone ({', '.join(zones)})")
        figures = _Figures(inner)

        def ladder(key: str, figures: _Figures = figures) -> Ladder | None:
            return (
                figures.ladder(key, low=0.1, high=3600.0, falling=False) if figures.table.has(key) else None
            )

        has_interval = inner.has("zone_interval_s")
        interval_s = figures.value("zone_interval_s", low=600.0, high=14 * 86400.0) if has_interval else None
        found[name] = ZoneLimits(ladder("zone_time_s"), ladder("dwell_s"), interval_s, figures.evidence)
        inner.done()
    return found


def _whole(figures: _Figures, key: str, *, low: int, high: int) -> int:
    value = figures.value(key, low=low, high=high)
    if value != int(value):
        figures.table.wrong(key, f"must be a whole number, not {value:g}")
    return int(value)


def _incidence(figures: _Figures) -> float:
    figure = figures.open("incidence_deg", name="incidence_warn_deg")
    warn = figure.number("warn", low=5.0, high=85.0)
    figure.done()
    return warn


def _distance(figures: _Figures) -> DistanceBand:
    figure = figures.open("distance_mm", name="distance")

    def read(key: str) -> float:
        return figure.number(key, low=5.0, high=600.0)

    band = DistanceBand(
        nominal_mm=read("nominal"),
        good_low_mm=read("good_low"),
        good_high_mm=read("good_high"),
        warn_low_mm=read("warn_low"),
        warn_high_mm=figure.optional_number("warn_high", low=5.0, high=600.0),
        stop_low_mm=read("stop_low"),
    )
    far = band.good_high_mm + 1.0 if band.warn_high_mm is None else band.warn_high_mm
    if (
        not band.stop_low_mm
        < band.warn_low_mm
        <= band.good_low_mm
        <= band.nominal_mm
        <= band.good_high_mm
        < far
    ):
        figures.table.wrong(
            "distance_mm", "must rise: stop_low, warn_low, good_low, nominal, good_high, warn_high"
        )
    figure.done()
    return band
