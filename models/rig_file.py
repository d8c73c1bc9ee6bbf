"""Text codec of ``rig.toml``, schema ``cryoguide.rig/1``."""

from __future__ import annotations

from typing import cast

import numpy as np

from models.camera import Camera
from models.geometry import Floats, Pose
from models.rig import DepthCamera, Nozzle, Rig, SkinTags, Tags, ThermalCamera
from models.toml_table import Table, is_tables

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

_CAMERA_KEYS = (
    "width_px",
    "height_px",
    "fx_px",
    "fy_px",
    "cx_px",
    "cy_px",
    "distortion",
    "rms_px",
    "transfer",
)
_THERMAL_KEYS = (
    *_CAMERA_KEYS, "emissivity", "accuracy_degc", "thermal_from_rgb", "rgb_minus_thermal_s", "latency_s",
)  # fmt: skip


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
    warnings = _leave_out(top, ("schema", "created", "rgb", "thermal", "depth", "nozzle", "skin"))
    rgb = top.table("rgb")
    warnings += _leave_out(rgb, _CAMERA_KEYS)
    transfer = rgb.choice("transfer", ("srgb", "linear")) if rgb.has("transfer") else "srgb"
    rms_px = rgb.number("rms_px", at_least=0.0) if rgb.has("rms_px") else None
    thermal = depth = nozzle = skin = None
    if top.has("thermal"):
        thermal = _thermal(top.table("thermal"), warnings)
    if top.has("depth"):
        table = top.table("depth")
        warnings += _leave_out(table, (*_CAMERA_KEYS, "depth_from_rgb"))
        depth = DepthCamera(_camera(table), _pose(table, "depth_from_rgb"))
    if top.has("nozzle"):
        nozzle = _nozzle(top.table("nozzle"), warnings)
    if top.has("skin"):
        skin = _skin(top.table("skin"), warnings)
    if nozzle and skin and nozzle.tags.dictionary == skin.dictionary:
        both = sorted(set(skin.ids) & {int(i) for i in nozzle.tags.ids})
        if both:
            raise top.table("skin").wrong(
                "ids", f"names tag {both[0]}, which is on the nozzle already; use others"
            )
    rig = Rig(top.moment("created"), _camera(rgb), transfer, rms_px, thermal, depth, nozzle, skin)
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
    if rig.thermal is not None:
        lines += ["", "[thermal]", *_camera_lines(rig.thermal.camera)]
        lines += [
            f"emissivity = {rig.thermal.emissivity!r}",
            f"accuracy_degc = {rig.thermal.accuracy_degc!r}",
            f"thermal_from_rgb = {rig.thermal.thermal_from_rgb.matrix.tolist()}",
            f"rgb_minus_thermal_s = {rig.thermal.rgb_minus_thermal_s!r}",
            f"latency_s = {rig.thermal.latency_s!r}",
        ]
    if rig.depth is not None:
        lines += ["", "[depth]", *_camera_lines(rig.depth.camera)]
        lines.append(f"depth_from_rgb = {rig.depth.depth_from_rgb.matrix.tolist()}")
    if rig.nozzle is not None:
        tags = rig.nozzle.tags
        lines += ["", "[nozzle]", f'dictionary = "{tags.dictionary}"', f"bore_mm = {rig.nozzle.bore_mm!r}"]
        for tag, corners in zip(tags.ids, tags.corners_mm, strict=True):
            lines += ["[[nozzle.tag]]", f"id = {tag}", f"corners_nozzle_mm = {corners.tolist()}"]
    if rig.skin is not None:
        lines += ["", "[skin]", f'dictionary = "{rig.skin.dictionary}"', f"size_mm = {rig.skin.size_mm!r}"]
        lines.append(f"ids = {list(rig.skin.ids)}")
    return "\n".join(lines) + "\n"


def _leave_out(table: Table, known: tuple[str, ...]) -> list[str]:
    """Refuse unknown keys; an unknown optional table is left out with a sentence."""
    warnings: list[str] = []
    for key in table.unknown(known):
        value = table.values[key]
        if not isinstance(value, dict) and not (is_tables(value) and value):
            raise table.wrong(key, f"is not a known key; remove it or use one of {', '.join(known)}")
        name = f"{table.name}.{key}" if table.name else key
        warnings.append(
            f"{table.where}: the optional table [{name}] is not known to this version and was left out."
        )
    return warnings


def _camera(table: Table) -> Camera:
    return Camera(
        width_px=table.integer("width_px", at_least=1),
        height_px=table.integer("height_px", at_least=1),
        fx_px=table.number("fx_px", above=0.0),
        fy_px=table.number("fy_px", above=0.0),
        cx_px=table.number("cx_px"),
        cy_px=table.number("cy_px"),
        distortion=table.array("distortion", (5,)),
    )


def _thermal(table: Table, warnings: list[str]) -> ThermalCamera:
    warnings += _leave_out(table, _THERMAL_KEYS)
    return ThermalCamera(
        camera=_camera(table),
        thermal_from_rgb=_pose(table, "thermal_from_rgb"),
        rgb_minus_thermal_s=table.number("rgb_minus_thermal_s"),
        latency_s=table.number("latency_s", at_least=0.0) if table.has("latency_s") else LATENCY_S,
        accuracy_degc=table.number("accuracy_degc", at_least=0.0),
        emissivity=table.number("emissivity", above=0.0, at_most=1.0),
    )


def _pose(table: Table, key: str) -> Pose:
    """A rigid transform; what is within tolerance is replaced by the nearest rotation."""
    matrix = table.array(key, (4, 4))
    rotation = matrix[:3, :3]
    skew = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if skew > _RIGID_TOLERANCE or np.linalg.det(rotation) < 0:
        raise table.wrong(key, "is not a rigid transform: its 3 x 3 part must be a rotation; calibrate again")
    if np.abs(matrix[3] - (0.0, 0.0, 0.0, 1.0)).max() > 1e-9:
        raise table.wrong(key, "must end in the row [0, 0, 0, 1]; is it written row by row?")
    left, _, right = np.linalg.svd(rotation)
    return Pose.of(cast("Floats", left @ right), matrix[:3, 3])


def _nozzle(table: Table, warnings: list[str]) -> Nozzle:
    warnings += _leave_out(table, ("dictionary", "bore_mm", "tag"))
    tags = table.tables("tag")
    if not tags:
        raise table.wrong("tag", "is empty; a nozzle needs at least one tag")
    ids: list[int] = []
    corners: list[Floats] = []
    for tag in tags:
        warnings += _leave_out(tag, ("id", "corners_nozzle_mm"))
        number = tag.integer("id", at_least=0)
        if number in ids:
            raise tag.wrong("id", f"is {number}, which an earlier tag has already; give each tag its own")
        corner = tag.array("corners_nozzle_mm", (4, 3))
        if float(np.linalg.norm(corner - np.roll(corner, 1, axis=0), axis=1).min()) < 0.1:
            raise tag.wrong(
                "corners_nozzle_mm", "has two corners in one place; give the four corners of the square"
            )
        ids.append(number)
        corners.append(corner)
    dictionary = table.choice("dictionary", _DICTIONARIES)
    return Nozzle(Tags(dictionary, np.array(ids), np.array(corners)), table.number("bore_mm", above=0.0))


def _skin(table: Table, warnings: list[str]) -> SkinTags:
    warnings += _leave_out(table, ("dictionary", "size_mm", "ids"))
    ids = table.array("ids", (-1,))
    if len(ids) == 0 or np.any(ids != np.round(ids)) or ids.min() < 0 or len(set(ids.tolist())) != len(ids):
        raise table.wrong("ids", "must list tag numbers, whole and each once")
    return SkinTags(
        dictionary=table.choice("dictionary", _DICTIONARIES),
        size_mm=table.number("size_mm", above=0.0),
        ids=tuple(int(i) for i in ids),
    )


def _camera_lines(camera: Camera) -> list[str]:
    lines = [f"width_px = {camera.width_px}", f"height_px = {camera.height_px}"]
    lines += [f"{key} = {float(getattr(camera, key))!r}" for key in ("fx_px", "fy_px", "cx_px", "cy_px")]
    return [*lines, f"distortion = {camera.distortion.tolist()}"]
