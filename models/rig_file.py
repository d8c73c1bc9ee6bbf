"""Text codec of ``rig.toml``, schema ``cryoguide.rig/1``."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from models.camera import Camera
from models.clock_file import clock_lines, read_clock
from models.corrected_file import NAME as CORRECTED
from models.corrected_file import corrected_lines, read_corrected
from models.geometry import Floats, Pose
from models.jet_profile_file import jet_profile_lines, read_jet_profile
from models.nozzle_errors import NozzleErrors
from models.nozzle_errors_file import nozzle_error_lines, read_nozzle_errors
from models.radiometry_file import KEYS as RADIOMETRY_KEYS
from models.radiometry_file import NAME as RADIOMETRY
from models.radiometry_file import radiometry_lines, read_radiometry
from models.rig import (
    INTRINSICS,
    THERMAL_PARAMETERS,
    DepthCamera,
    Nozzle,
    Rig,
    SkinTags,
    StatedHalo,
    StatedSpread,
    Tags,
    ThermalCamera,
)
from models.stream_clock import StreamClock
from models.toml_table import Table
from models.validity_file import read_validity, validity_lines

RIG_SCHEMA = "cryoguide.rig/1"

LATENCY_S = 0.05
"""Exposure to arrival where the rig does not say (session-format: rig.toml, ``latency_s``)."""

# How far a_from_b may be from a rotation before it is refused: at 1 m a shear of 1e-3 moves a point by
# 1 mm, the size of the smallest error that matters here.
_RIGID_TOLERANCE = 1e-3

_DICTIONARIES = (
    *(f"DICT_{bits}X{bits}_{count}" for bits in (4, 5, 6, 7) for count in (50, 100, 250, 1000)),
    "DICT_ARUCO_ORIGINAL",
    "DICT_ARUCO_MIP_36h12",
    *(f"DICT_APRILTAG_{family}" for family in ("16h5", "25h9", "36h10", "36h11")),
)
"""Names of OpenCV's predefined aruco dictionaries."""


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
    warnings: list[str] = []
    created = top.moment("created")
    rgb = top.table("rgb")
    transfer, rms_px = _light(rgb)
    camera = _camera(rgb)
    stated = _ours(rgb, "covariance", "parameters", "matrix")
    covariance = _covariance(stated, INTRINSICS) if stated else None
    warnings += _leave_out(rgb, where)
    thermal = depth = nozzle = skin = scale_u95 = jet = None
    errors = NozzleErrors()
    clocks = _clocks(top, where, warnings)
    if top.has("thermal"):
        thermal = _thermal(top.table("thermal"), where, warnings, clocks.get("thermal"))
        # The format names it beside [thermal], too; in its own table it goes with the camera.
        beside = None if thermal.radiometry else _ours(top, RADIOMETRY, *RADIOMETRY_KEYS)
        if beside:
            thermal = replace(thermal, radiometry=read_radiometry(beside))
    if top.has("depth"):
        table = top.table("depth")
        _light(table)
        depth = DepthCamera(_camera(table), _pose(table, "depth_from_rgb"), clocks.get("depth"))
        warnings += _leave_out(table, where)
    if top.has("nozzle"):
        nozzle, scale_u95, errors = _nozzle(top.table("nozzle"), where, warnings)
    if stated := _ours(top, "jet", "device", "half_mm", "film_w_m2k"):
        jet = read_jet_profile(stated)
        warnings += _leave_out(stated, where)
    if top.has("skin"):
        skin = _skin(top.table("skin"), where, warnings)
    if nozzle and skin and nozzle.tags.dictionary == skin.dictionary:
        both = sorted(set(skin.ids) & {int(i) for i in nozzle.tags.ids})
        if both:
            top.wrong("skin", f"names tag {both[0]}, which is on the nozzle already; use others")
    validity = read_validity(top)
    warnings += _leave_out(top, where)
    top.finish(where=where)
    rig = Rig(
        created, camera, transfer, rms_px, thermal, depth, nozzle, skin, covariance, scale_u95, errors, jet,
        validity,
    )  # fmt: skip
    return rig, tuple(warnings)


def write_rig(rig: Rig) -> str:
    """Text of a ``rig.toml`` that `read_rig` reads back to the same figures."""
    lines = [
        f'schema = "{RIG_SCHEMA}"',
        f"created = {rig.created.isoformat().replace('+00:00', 'Z')}",
        "",
        "[rgb]",
    ]
    lines += _camera_lines(rig.rgb)
    if rig.rgb_rms_px is not None:
        lines.append(f"rms_px = {rig.rgb_rms_px!r}")
    lines.append(f'transfer = "{rig.transfer}"')
    if rig.rgb_covariance is not None:
        lines += ["", "[rgb.covariance]", f"parameters = {list(INTRINSICS)}"]
        lines.append(f"matrix = {rig.rgb_covariance.tolist()}")
    if rig.thermal is not None:
        lines += ["", "[thermal]", *_camera_lines(rig.thermal.camera)]
        lines += [
            f"emissivity = {rig.thermal.emissivity!r}",
            f"accuracy_degc = {rig.thermal.accuracy_degc!r}",
            f"thermal_from_rgb = {rig.thermal.thermal_from_rgb.matrix.tolist()}",
            f"rgb_minus_thermal_s = {rig.thermal.rgb_minus_thermal_s!r}",
            f"latency_s = {rig.thermal.latency_s!r}",
        ]
        if rig.thermal.covariance is not None:
            lines += ["", "[thermal.covariance]", f"parameters = {list(THERMAL_PARAMETERS)}"]
            lines.append(f"matrix = {rig.thermal.covariance.tolist()}")
        if rig.thermal.corrected is not None:
            lines += corrected_lines(rig.thermal.corrected)
        if rig.thermal.spread is not None:
            spread = rig.thermal.spread
            lines += [
                "",
                "[thermal.spread]",
                f"sigma_px = {spread.sigma_px!r}",
                f"u95_px = {spread.u95_px!r}",
            ]
            if spread.halo is not None:
                halo = spread.halo
                lines += [f"halo_share = {halo.share!r}", f"halo_px = {halo.reach_px!r}"]
                lines.append(f"halo_u95 = {halo.u95!r}")
        if rig.thermal.radiometry is not None:
            lines += ["", *radiometry_lines(rig.thermal.radiometry)]
    if rig.depth is not None:
        lines += ["", "[depth]", *_camera_lines(rig.depth.camera)]
        lines.append(f"depth_from_rgb = {rig.depth.depth_from_rgb.matrix.tolist()}")
    for name, part in (("thermal", rig.thermal), ("depth", rig.depth)):
        if part is not None and part.clock is not None:
            lines += clock_lines(name, part.clock, with_offset=name == "depth")
    if rig.nozzle is not None:
        tags = rig.nozzle.tags
        lines += ["", "[nozzle]", f'dictionary = "{tags.dictionary}"', f"bore_mm = {rig.nozzle.bore_mm!r}"]
        for tag, corners in zip(tags.ids, tags.corners_mm, strict=True):
            lines += ["[[nozzle.tag]]", f"id = {tag}", f"corners_nozzle_mm = {corners.tolist()}"]
        if rig.nozzle_scale_u95 is not None:
            lines += ["[nozzle.scale]", f"u95 = {rig.nozzle_scale_u95!r}"]
        lines += nozzle_error_lines(rig.nozzle_errors, tags.ids.tolist())
    if rig.jet is not None:
        lines += jet_profile_lines(rig.jet)
    if rig.skin is not None:
        lines += ["", "[skin]", f'dictionary = "{rig.skin.dictionary}"', f"size_mm = {rig.skin.size_mm!r}"]
        lines.append(f"ids = {list(rig.skin.ids)}")
    lines += validity_lines(rig.validity)
    return "\n".join(lines) + "\n"


def _leave_out(table: Table, where: str) -> list[str]:
    """Refuse unknown keys; an unknown optional table is left out with a sentence."""
    warnings: list[str] = []
    for key in table.unread():
        if table.has_tables(key):
            table.pass_over(key)
            warnings.append(
                f"{where}: the optional table [{table.path(key)}] is not known to this version"
                " and was left out."
            )
    table.done()
    return warnings


def _ours(table: Table, key: str, *names: str) -> Table | None:
    """An optional table, if it is of the form that `write_rig` gives it; another program's is left out."""
    if not table.has_tables(key) or not set(names) <= set(table.peek(key)):
        return None
    return table.table(key)


def _light(table: Table) -> tuple[str, float | None]:
    """How light became numbers, and the residual of the calibration."""
    transfer = table.text("transfer", choices=("srgb", "linear")) if table.has("transfer") else "srgb"
    return transfer, table.optional_number("rms_px", low=0.0)


def _camera(table: Table) -> Camera:
    return Camera(
        width_px=table.integer("width_px", low=1),
        height_px=table.integer("height_px", low=1),
        fx_px=table.number("fx_px", low=10.0, high=1e5),
        fy_px=table.number("fy_px", low=10.0, high=1e5),
        cx_px=table.number("cx_px"),
        cy_px=table.number("cy_px"),
        distortion=table.array("distortion", (5,)),
    )


def _clocks(top: Table, where: str, warnings: list[str]) -> dict[str, StreamClock]:
    """Of ``[time]``; a table of that name without these streams is another program's and is left out."""
    if not any(name in top.peek("time") for name in ("thermal", "depth")):
        return {}
    table = top.table("time")
    if table.has("measured"):
        table.moment("measured")
    found = {
        name: read_clock(table.table(name), with_offset=name == "depth")
        for name in ("thermal", "depth")
        if table.has(name)
    }
    warnings += _leave_out(table, where)
    return found


def _thermal(
    table: Table, where: str, warnings: list[str], clock: StreamClock | None = None
) -> ThermalCamera:
    _light(table)
    spread = _spread(table.table("spread")) if table.has("spread") else None
    references = _ours(table, RADIOMETRY, *RADIOMETRY_KEYS)
    stated = _ours(table, "covariance", "parameters", "matrix")
    latency_s = table.optional_number("latency_s", low=0.0)
    thermal = ThermalCamera(
        camera=_camera(table),
        thermal_from_rgb=_pose(table, "thermal_from_rgb"),
        rgb_minus_thermal_s=table.number("rgb_minus_thermal_s"),
        latency_s=LATENCY_S if latency_s is None else latency_s,
        accuracy_degc=table.number("accuracy_degc", above=0.0),
        emissivity=table.number("emissivity", above=0.0, high=1.0),
        corrected=read_corrected(table.table(CORRECTED)) if table.has(CORRECTED) else None,
        spread=spread,
        clock=clock,
        radiometry=read_radiometry(references) if references else None,
        covariance=_covariance(stated, THERMAL_PARAMETERS) if stated else None,
    )
    warnings += _leave_out(table, where)
    return thermal


def _spread(table: Table) -> StatedSpread:
    halo = None
    if table.has("halo_share") or table.has("halo_px") or table.has("halo_u95"):
        # Less than 2 px is no halo but the spread itself; a lens that mixes in a third is broken.
        halo = StatedHalo(
            share=table.number("halo_share", low=0.0, high=0.33),
            reach_px=table.number("halo_px", low=2.0, high=40.0),
            u95=table.number("halo_u95", above=0.0, high=0.33),
        )
    # A detector's own pixel spreads by 0.29 px; beyond 3 px a picture of this size is out of focus.
    spread = StatedSpread(
        sigma_px=table.number("sigma_px", low=0.2, high=3.0),
        u95_px=table.number("u95_px", above=0.0, high=3.0),
        halo=halo,
    )
    table.done()
    return spread


def _pose(table: Table, key: str) -> Pose:
    """A rigid transform; what is within tolerance is replaced by the nearest rotation."""
    matrix = table.array(key, (4, 4))
    if not matrix.any():
        if table.sound:
            table.wrong(key, "holds nothing but zeros; calibrate again")
        return Pose.identity()
    rotation = matrix[:3, :3]
    skew = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if skew > _RIGID_TOLERANCE or np.linalg.det(rotation) < 0:
        table.wrong(key, "is not a rigid transform: its 3 x 3 part must be a rotation; calibrate again")
    if np.abs(matrix[3] - (0.0, 0.0, 0.0, 1.0)).max() > 1e-9:
        table.wrong(key, "must end in the row [0, 0, 0, 1]; is it written row by row?")
    left, _, right = np.linalg.svd(rotation)
    return Pose.of(cast("Floats", left @ right), matrix[:3, 3])


def _covariance(table: Table, parameters: tuple[str, ...]) -> Floats:
    """Of these parameters in their order; what is not named was not estimated."""
    names = table.texts("parameters", choices=parameters, least=1)
    if len(set(names)) != len(names):
        table.wrong("parameters", "names one twice")
    given = table.array("matrix", (len(names), len(names)))
    table.done()
    whole = np.zeros((len(parameters), len(parameters)))
    if not table.sound:
        return whole
    spread = np.sqrt(np.abs(np.diag(given)))
    scaled = given / np.outer(*[np.where(spread > 0.0, spread, 1.0)] * 2)
    if np.abs(scaled - scaled.T).max() > 1e-6 or np.linalg.eigvalsh(scaled).min() < -1e-6:
        table.wrong("matrix", "is no covariance: it must be symmetric with no negative eigenvalue")
    at = [parameters.index(name) for name in names]
    whole[np.ix_(at, at)] = given
    return whole


def _nozzle(table: Table, where: str, warnings: list[str]) -> tuple[Nozzle, float | None, NozzleErrors]:
    ids: list[int] = []
    corners: list[Floats] = []
    tags = table.tables("tag")
    if table.sound and not tags:
        table.wrong("tag", "is empty; a nozzle needs at least one tag")
    for tag in tags:
        number = tag.integer("id", low=0)
        corner = tag.array("corners_nozzle_mm", (4, 3))
        warnings += _leave_out(tag, where)
        if not tag.sound:
            continue
        if number in ids:
            tag.wrong("id", f"is {number}, which an earlier tag has already; give each tag its own")
        if float(np.linalg.norm(corner - np.roll(corner, 1, axis=0), axis=1).min()) < 0.1:
            tag.wrong(
                "corners_nozzle_mm", "has two corners in one place; give the four corners of the square"
            )
        ids.append(number)
        corners.append(corner)
    dictionary = table.text("dictionary", choices=_DICTIONARIES)
    bore_mm = table.number("bore_mm", low=0.5, high=100.0)
    scale_u95 = None
    if scale := _ours(table, "scale", "u95"):
        scale_u95 = scale.number("u95", low=0.0, high=0.1)
        scale.done()
    errors = read_nozzle_errors(table, ids)
    warnings += _leave_out(table, where)
    tags = Tags(dictionary, np.array(ids, int), np.array(corners).reshape(-1, 4, 3))
    return Nozzle(tags, bore_mm), scale_u95, errors


def _skin(table: Table, where: str, warnings: list[str]) -> SkinTags:
    ids = table.array("ids", (-1,))
    whole = len(ids) > 0 and bool(np.all((ids == np.round(ids)) & (ids >= 0)))
    if table.sound and not (whole and len(set(ids.tolist())) == len(ids)):
        table.wrong("ids", "must list tag numbers, whole and each once")
    skin = SkinTags(
        dictionary=table.text("dictionary", choices=_DICTIONARIES),
        size_mm=table.number("size_mm", above=0.0),
        ids=tuple(int(i) for i in ids),
    )
    warnings += _leave_out(table, where)
    return skin


def _camera_lines(camera: Camera) -> list[str]:
    lines = [f"width_px = {camera.width_px}", f"height_px = {camera.height_px}"]
    lines += [f"{key} = {float(getattr(camera, key))!r}" for key in ("fx_px", "fy_px", "cx_px", "cy_px")]
    return [*lines, f"distortion = {camera.distortion.tolist()}"]
