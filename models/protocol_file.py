"""Reading one protocol or device class out of its table."""

from __future__ import annotations

from collections.abc import Mapping

from models.protocol import Device, DistanceBand, Evidence, JetFlow, Ladder, Protocol
from models.toml_table import Table

CONFIDENCES = ("high", "medium", "low")
GASES = ("air", "nitrogen", "carbon dioxide")


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


def read_protocol(name: str, table: Table, devices: Mapping[str, Device]) -> Protocol:
    """Read one protocol and check what belongs together; mistakes are noted in the table."""
    figures = _Figures(table)
    target = figures.open("target_degc")
    target_low, target_high = (target.number(key, low=0.0, high=30.0) for key in ("low", "high"))
    target.done()
    # Skin limits at or below 0 degC (freezing injury, ISO 13732-3) or above 30 degC are refused outright.
    protocol = Protocol(
        name=name,
        title=table.text("title"),
        device=table.text("device", choices=tuple(devices)),
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
        approved_by=table.optional_text("approved_by"),
        evidence=figures.evidence,
    )
    if not protocol.target_low_degc < protocol.target_high_degc:
        table.wrong("target_degc", "must have low below high")
    if not protocol.skin_degc.warn <= protocol.advisory_degc <= protocol.target_low_degc:
        table.wrong(
            "advisory_degc", "must lie between the warning of skin_degc and the low end of target_degc"
        )
    table.done()
    return protocol


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
