"""Text codec of ``rig.toml``, schema ``cryoguide.rig/1``: its tables put together."""

from __future__ import annotations

from dataclasses import replace

from models.cameras_file import (
    camera_lines,
    depth_lines,
    read_camera,
    read_depth,
    read_light,
    read_thermal,
    thermal_lines,
)
from models.clock_file import clock_lines, read_clock
from models.covariance_file import covariance_lines, read_covariance
from models.jet_profile_file import jet_profile_lines, read_jet_profile
from models.nozzle_errors import NozzleErrors
from models.nozzle_errors_file import nozzle_error_lines, read_nozzle_errors
from models.optional_tables import leave_out, ours
from models.radiometry_file import KEYS as RADIOMETRY_KEYS
from models.radiometry_file import NAME as RADIOMETRY
from models.radiometry_file import read_radiometry
from models.rig import INTRINSICS, Nozzle, Rig, SkinTags
from models.stream_clock import StreamClock
from models.tags_file import nozzle_lines, read_nozzle, read_skin_tags, skin_tag_lines
from models.toml_table import Table
from models.validity_file import read_validity, validity_lines

RIG_SCHEMA = "cryoguide.rig/1"


def read_rig(text: str, *, where: str) -> tuple[Rig, tuple[str, ...]]:
    """Read the text of a ``rig.toml``.

    Args:
        text: Whole file.
        where: Name of the file for messages.

    Returns:
        The rig, and one sentence for each optional table that is not known and was left out.

    Raises:
        InputError: If anything is missing, of the wrong shape, out of range or not known.
    """
    top = Table.parse(text, where=where, schema=RIG_SCHEMA)
    left_out: list[str] = []
    created = top.moment("created")
    rgb = top.table("rgb")
    transfer, rms_px = read_light(rgb)
    camera = read_camera(rgb)
    covariance = read_covariance(rgb, INTRINSICS)
    left_out += leave_out(rgb, where=where)
    thermal = depth = nozzle = skin = scale_u95 = jet = None
    errors = NozzleErrors()
    clocks: dict[str, StreamClock] = {}
    if any(name in top.peek("time") for name in ("thermal", "depth")):
        table = top.table("time")
        clocks = _clocks(table)
        left_out += leave_out(table, where=where)
    if top.has("thermal"):
        table = top.table("thermal")
        thermal = read_thermal(table, clock=clocks.get("thermal"))
        left_out += leave_out(table, where=where)
        # The format names it beside [thermal], too; in its own table it goes with the camera.
        beside = None if thermal.radiometry else ours(top, RADIOMETRY, *RADIOMETRY_KEYS)
        if beside:
            thermal = replace(thermal, radiometry=read_radiometry(beside))
    if top.has("depth"):
        table = top.table("depth")
        depth = read_depth(table, clock=clocks.get("depth"))
        left_out += leave_out(table, where=where)
    if top.has("nozzle"):
        table = top.table("nozzle")
        nozzle, beside_tags = read_nozzle(table, where=where)
        if scale := ours(table, "scale", "u95"):
            scale_u95 = scale.number("u95", low=0.0, high=0.1)
            scale.done()
        errors = read_nozzle_errors(table, nozzle.tags.ids.tolist())
        left_out += [*beside_tags, *leave_out(table, where=where)]
    if stated := ours(top, "jet", "device", "half_mm", "film_w_m2k"):
        jet = read_jet_profile(stated)
        left_out += leave_out(stated, where=where)
    if top.has("skin"):
        table = top.table("skin")
        skin = read_skin_tags(table)
        left_out += leave_out(table, where=where)
    _part_tags(top, nozzle, skin)
    validity = read_validity(top)
    left_out += leave_out(top, where=where)
    top.finish(where=where)
    rig = Rig(
        created, camera, transfer, rms_px, thermal, depth, nozzle, skin, covariance, scale_u95, errors, jet,
        validity,
    )  # fmt: skip
    return rig, tuple(left_out)


def write_rig(rig: Rig) -> str:
    """Text of a ``rig.toml`` that `read_rig` reads back to the same figures."""
    lines = [
        f'schema = "{RIG_SCHEMA}"',
        f"created = {rig.created.isoformat().replace('+00:00', 'Z')}",
        "",
        "[rgb]",
        *camera_lines(rig.rgb),
    ]
    if rig.rgb_rms_px is not None:
        lines.append(f"rms_px = {rig.rgb_rms_px!r}")
    lines.append(f'transfer = "{rig.transfer}"')
    if rig.rgb_covariance is not None:
        lines += ["", *covariance_lines("rgb.covariance", INTRINSICS, rig.rgb_covariance)]
    if rig.thermal is not None:
        lines += thermal_lines(rig.thermal)
    if rig.depth is not None:
        lines += depth_lines(rig.depth)
    for name, part in (("thermal", rig.thermal), ("depth", rig.depth)):
        if part is not None and part.clock is not None:
            lines += clock_lines(name, part.clock, with_offset=name == "depth")
    if rig.nozzle is not None:
        lines += nozzle_lines(rig.nozzle)
        if rig.nozzle_scale_u95 is not None:
            lines += ["[nozzle.scale]", f"u95 = {rig.nozzle_scale_u95!r}"]
        lines += nozzle_error_lines(rig.nozzle_errors, rig.nozzle.tags.ids.tolist())
    if rig.jet is not None:
        lines += jet_profile_lines(rig.jet)
    if rig.skin is not None:
        lines += skin_tag_lines(rig.skin)
    lines += validity_lines(rig.validity)
    return "\n".join(lines) + "\n"


def _clocks(table: Table) -> dict[str, StreamClock]:
    """Of ``[time]``, by the name of the stream."""
    if table.has("measured"):
        table.moment("measured")
    return {
        name: read_clock(table.table(name), with_offset=name == "depth")
        for name in ("thermal", "depth")
        if table.has(name)
    }


def _part_tags(top: Table, nozzle: Nozzle | None, skin: SkinTags | None) -> None:
    """Note a tag that is both on the nozzle and on the skin: nobody could tell which was seen."""
    if nozzle is None or skin is None or nozzle.tags.dictionary != skin.dictionary:
        return
    both = sorted(set(skin.ids) & {int(i) for i in nozzle.tags.ids})
    if both:
        top.wrong("skin", f"names tag {both[0]}, which is on the nozzle already; use others")
