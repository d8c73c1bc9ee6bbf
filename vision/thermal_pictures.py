"""Single pictures as thermal sources: TIFF (one page or many) and 16-bit PNG."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.problems import InputError
from vision.thermal_raw import stack_source
from vision.thermal_source import Numbers, ThermalSource, Told

# TIFF 6.0: tags and their values.
_PHOTOMETRIC, _PALETTE_TAG, _SAMPLE_FORMAT = 262, 320, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = 0, 1, 2, 3
_SIGNED = 2
_SIZES = {1: 1, 3: 2, 4: 4}
_LETTERS = {1: "B", 3: "H", 4: "I"}


@dataclass(frozen=True)
class _Page:
    """What the first page of a TIFF says of its pixels."""

    photometric: int
    photometric_at: int
    """Where in the file that is said."""
    sample_format: int
    grey_palette: bool


def open_picture_file(path: Path, told: Told) -> ThermalSource:
    """Open a TIFF or PNG.

    Raises:
        InputError: If it is damaged or carries no temperatures.
    """
    where = path.name
    data = path.read_bytes()
    tiff = data[:4] in (b"II*\0", b"MM\0*")
    if tiff:
        page = _first_page(data, where)
        if page.photometric == _PALETTE and page.grey_palette and told.degc_at_0 is not None:
            return _open_indices(data, page, told, where=where)
        _refuse_display(page, where)
    with _quiet():
        count = cv2.imcount(str(path), cv2.IMREAD_UNCHANGED) if tiff else 1
    first = _page(path, 0, where) if count else None
    if first is None:
        raise InputError(f"{where} cannot be decoded, it is cut off or damaged; export it again.")

    def values() -> Iterator[Numbers | None]:
        for number in range(count):
            yield _page(path, number, where)

    kind = ("TIFF" if tiff else "PNG") + f" of {first.dtype} pixels"
    return stack_source(values, pictures=count, first=first, told=told, where=where, kind=kind)


def _open_indices(data: bytes, page: _Page, told: Told, *, where: str) -> ThermalSource:
    """A TIFF whose grey palette only sets the contrast of its display; the stated scale is of its indices."""
    plain = bytearray(data)
    order = "<" if data[:2] == b"II" else ">"
    struct.pack_into(order + "H", plain, page.photometric_at, _BLACK_IS_ZERO)
    with _quiet(), suppress(cv2.error):
        picture = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is not None and picture.ndim == 2 and picture.dtype == np.uint8:
            values = np.asarray(picture)
            return stack_source(
                lambda: iter([values]), pictures=1, first=values, told=told, where=where, kind="8-bit TIFF"
            )
    raise InputError(f"{where} cannot be decoded, it is cut off or damaged; export it again.")


def _page(path: Path, number: int, where: str) -> Numbers | None:
    """One page; None where it is damaged."""
    picture = None
    with _quiet(), suppress(cv2.error):
        if path.suffix.lower() == ".png" or number == 0:
            picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        else:
            found, pages = cv2.imreadmulti(str(path), number, 1, flags=cv2.IMREAD_UNCHANGED)
            picture = pages[0] if found and pages else None
    if picture is None:
        return None
    values = np.asarray(picture)
    if values.ndim == 3:
        if (values != values[..., :1]).any():
            raise InputError(
                f"{where} is a colour picture: a palette shows temperatures but does not carry them; export "
                "radiometric data (16-bit TIFF, radiometric JPEG) from the camera or its software."
            )
        values = values[..., 0]
    return np.ascontiguousarray(values)


def _first_page(data: bytes, where: str) -> _Page:
    """Read the tags of the first page."""
    order = "<" if data[:2] == b"II" else ">"
    found: dict[int, int] = {}
    places: dict[int, int] = {}
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, at)
        for i in range(count):
            tag, kind, values = struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)
            if kind not in _LETTERS:
                continue
            place = at + 10 + 12 * i
            if values * _SIZES[kind] > 4:
                (place,) = struct.unpack_from(order + "I", data, place)
            found[tag], places[tag] = struct.unpack_from(order + _LETTERS[kind], data, place)[0], place
        colours = (
            struct.unpack_from(f"{order}768H", data, places[_PALETTE_TAG]) if _PALETTE_TAG in places else ()
        )
    except struct.error as trouble:
        raise InputError(f"{where} is a TIFF that ends too early; copy or export it again.") from trouble
    return _Page(
        photometric=found.get(_PHOTOMETRIC, _BLACK_IS_ZERO),
        photometric_at=places.get(_PHOTOMETRIC, 0),
        sample_format=found.get(_SAMPLE_FORMAT, 1),
        grey_palette=bool(colours) and colours[:256] == colours[256:512] == colours[512:],
    )


def _refuse_display(page: _Page, where: str) -> None:
    if page.photometric == _PALETTE:
        raise InputError(
            f"{where} is a palette picture (a display, without temperatures); export 16-bit or float TIFF, "
            "or give the scale of a grey one with --degc-at-0 and --degc-per-step."
        )
    if page.photometric not in (_BLACK_IS_ZERO, _RGB):
        raise InputError(
            f"{where} stores its numbers upside down or as no plain grey; export plain grey TIFF."
        )
    if page.sample_format == _SIGNED:
        raise InputError(
            f"{where} holds signed whole numbers, whose unit is not known; export unsigned centikelvin or "
            "floating-point degC."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV without its remarks on tags that it does not know."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
