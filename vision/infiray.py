"""InfiRay ``.irg`` pictures: 16-bit temperatures in 1/16 K behind a display picture.

Layout as found in a file of a C200 and as others describe it (the maker publishes none): a header that names
the sizes of three pictures (8-bit display, 16-bit temperatures, JPEG), then those pictures.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.problems import InputError
from vision.thermal_source import Reading, ThermalSource, whole_number_scale

MAGIC = b"\xca\xac"
_HEADER_BYTES = 128
_END_OF_HEADER = b"\xac\xca"
_REMEDY = "copy the original .irg from the camera again"


def open_irg(path: Path) -> ThermalSource:
    """Open one ``.irg``.

    Raises:
        InputError: If the header does not fit the file.
    """
    where = path.name
    data = path.read_bytes()
    if len(data) < _HEADER_BYTES or data[:2] != MAGIC:
        raise InputError(f"{where} is no whole .irg file; {_REMEDY}.")
    (header_bytes,) = struct.unpack_from("<H", data, 2)
    coarse_bytes, width_px, height_px = struct.unpack_from("<IHH", data, 4)
    fine_bytes, fine_width, fine_height = struct.unpack_from("<IHH", data, 13)
    emissivity, reflected = struct.unpack_from("<II", data, 30)
    if header_bytes != _HEADER_BYTES or data[header_bytes - 2 : header_bytes] != _END_OF_HEADER:
        raise InputError(f"{where} is of a kind of .irg that is not known; export 16-bit TIFF instead.")
    pixels = width_px * height_px
    sizes = (coarse_bytes, fine_bytes, fine_width, fine_height)
    if not pixels or sizes != (pixels, 2 * pixels, width_px, height_px):
        raise InputError(f"{where} has a header whose sizes do not fit each other; {_REMEDY}.")
    start = header_bytes + coarse_bytes
    if len(data) < start + fine_bytes:
        raise InputError(f"{where} is cut off before the end of its temperatures; {_REMEDY}.")
    values = np.frombuffer(data, "<u2", pixels, start).reshape(height_px, width_px).astype(np.uint16)
    scale = whole_number_scale("kelvin/16")

    def read() -> Iterator[Reading | None]:
        yield Reading(values, scale)

    told = f"{where}: the camera was set to an emissivity of {emissivity / 1e4:g}"
    told += f" and surroundings of {reflected / 1e4 - 273.15:.1f} degC."
    return ThermalSource(
        where=where,
        kind="InfiRay .irg",
        width_px=width_px,
        height_px=height_px,
        pictures=1,
        read=read,
        warnings=(told,) if 0 < emissivity <= 10_000 else (),
    )
