"""Reading one zone of the catalogue out of its table."""

from __future__ import annotations

from collections.abc import Mapping

from models.body_landmarks import NAMES
from models.protocol import Device, Ladder
from models.protocol_file import in_order, read_evidence
from models.toml_table import Table
from models.zone import Anchor, LeaveOut, Relief, Zone


def read_zone(name: str, table: Table, devices: Mapping[str, Device]) -> Zone:
    """Read one zone and check what belongs together; mistakes are noted in the table."""
    width_mm = table.number("width_mm", low=20.0, high=600.0)
    length_mm = table.number("length_mm", low=20.0, high=600.0)
    surface = table.text("surface", choices=("limb", "torso", "face"))
    zone = Zone(
        name=name,
        title=table.text("title"),
        sides=table.texts("sides", choices=("left", "right", "both"), least=1),
        width_mm=width_mm,
        length_mm=length_mm,
        shape=table.text("shape", choices=("ellipse", "rectangle")),
        surface=surface,
        radius_mm=table.number("radius_mm", low=10.0, high=400.0),
        radius_u95_mm=table.number("radius_u95_mm", low=1.0, high=200.0),
        anchor=_anchor(table.table("anchor")) if table.has("anchor") else None,
        axis_on_tap=table.text("axis_on_tap", choices=("long_side", "short_side")),
        leave_out=tuple(_leave_out(item) for item in _tables(table, "leave_out")),
        cautions=table.texts("cautions"),
        face=surface == "face",
        evidence=read_evidence(table),
        tile_time_s=_tile_time(table, devices) if table.has("tile_time_s") else {},
        relief=tuple(_relief(item) for item in _tables(table, "relief")),
    )
    if table.sound and zone.radius_u95_mm >= zone.radius_mm:
        table.wrong("radius_u95_mm", "must be smaller than radius_mm")
    table.done()
    return zone


def _tables(table: Table, key: str) -> tuple[Table, ...]:
    return table.tables(key) if table.has(key) else ()


def _anchor(table: Table) -> Anchor:
    weights = table.table("centre")
    centre = tuple((name, weights.number(name, low=-3.0, high=3.0)) for name in weights.names())
    for name, _ in centre:
        if name not in NAMES:
            weights.wrong(name, "is no landmark of MediaPipe Pose")
    if abs(sum(weight for _, weight in centre) - 1.0) > 1e-6:
        table.wrong("centre", f"has weights that add up to {sum(w for _, w in centre):g} instead of 1")
    scale = table.texts("scale", choices=NAMES)
    if len(scale) != 2:
        table.wrong("scale", "must name exactly two landmarks")
    anchor = Anchor(
        centre=centre,
        v_from=table.texts("v_from", choices=NAMES, least=1),
        v_to=table.texts("v_to", choices=NAMES, least=1),
        scale_from=(scale[0], scale[-1]) if scale else ("", ""),
        scale_mm=table.number("scale_mm", low=20.0, high=1000.0),
        side_seen=table.text("side_seen", choices=("front", "back", "any")),
        place_u95_mm=table.number("place_u95_mm", low=5.0, high=150.0),
    )
    table.done()
    return anchor


def _leave_out(table: Table) -> LeaveOut:
    area = LeaveOut(
        name=table.text("name"),
        u_mm=table.number("u_mm", low=-400.0, high=400.0),
        v_mm=table.number("v_mm", low=-400.0, high=400.0),
        radius_u_mm=table.number("radius_u_mm", low=2.0, high=300.0),
        radius_v_mm=table.number("radius_v_mm", low=2.0, high=300.0),
    )
    table.done()
    return area


def _relief(table: Table) -> Relief:
    relief = Relief(
        name=table.text("name"),
        u_mm=table.number("u_mm", low=-400.0, high=400.0),
        v_mm=table.number("v_mm", low=-400.0, high=400.0),
        radius_mm=table.number("radius_mm", low=5.0, high=100.0),
        height_mm=table.number("height_mm", low=-40.0, high=40.0),
        height_u95_mm=table.number("height_u95_mm", low=0.5, high=40.0),
    )
    table.done()
    return relief


def _tile_time(table: Table, devices: Mapping[str, Device]) -> dict[str, Ladder]:
    times = table.table("tile_time_s")
    ladders: dict[str, Ladder] = {}
    for device in times.names():
        ladders[device] = Ladder(*times.numbers(device, count=2, low=1.0, high=3600.0))
        if device not in devices:
            times.wrong(device, f"is no device ({', '.join(devices)})")
        elif not in_order(ladders[device], falling=False):
            times.wrong(device, "must be [warn, stop] with warn below stop")
    return ladders
