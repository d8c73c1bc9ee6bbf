"""An exposure map as bytes, compact enough for a history of years, and back."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, fields

import numpy as np

from models.exposure import ExposureMap
from models.geometry import Floats, frozen

PLACES = ("u_mm", "v_mm", "area_cm2")
HAD = tuple(field.name for field in fields(ExposureMap))
_FORM = "cryoguide.cells/1"


@dataclass(frozen=True, eq=False)
class KeptExposure:
    """What each cell of an earlier recording had, and where on the zone's chart; arrays of shape (n,)."""

    u_mm: Floats
    v_mm: Floats
    area_cm2: Floats
    exposure: ExposureMap
    place_u95_mm: float
    """95 % bound of the zone's place along the skin."""
    perhaps_turned: bool = False
    """Which way the head lies was guessed: u and v may both have the other sign."""

    def __post_init__(self) -> None:
        """Freeze the arrays and check that they speak of the same cells."""
        for name in PLACES:
            object.__setattr__(self, name, frozen(getattr(self, name)))
        sizes = {len(getattr(self, name)) for name in PLACES} | {len(self.exposure.dwell_s)}
        if len(sizes) != 1:
            raise ValueError(f"The kept cells differ in number: {sorted(sizes)}.")


def pack(kept: KeptExposure) -> bytes:
    """Pack in single precision: 7 digits are far below every bound."""
    columns = [getattr(kept, name) for name in PLACES] + [getattr(kept.exposure, name) for name in HAD]
    head = {
        "form": _FORM,
        "cells": len(kept.u_mm),
        "place_u95_mm": kept.place_u95_mm,
        "perhaps_turned": kept.perhaps_turned,
        "columns": [*PLACES, *HAD],
    }
    rows = np.stack(columns).astype("<f4")
    return zlib.compress(json.dumps(head).encode() + b"\n" + rows.tobytes(), 6)


def unpack(packed: bytes) -> KeptExposure:
    """Unpack what `pack` made.

    Raises:
        ValueError: If the bytes are something else.
    """
    try:
        head_text, _, body = zlib.decompress(packed).partition(b"\n")
        head = json.loads(head_text)
        if head["form"] != _FORM:
            raise ValueError(f"cells in the form {head['form']!r}")
        rows = np.frombuffer(body, "<f4").reshape(len(head["columns"]), head["cells"]).astype(np.float64)
        named = dict(zip(head["columns"], rows, strict=True))
        places = [named[name] for name in PLACES]
        had = ExposureMap(**{name: named[name] for name in HAD})
        bound_mm, turned = float(head["place_u95_mm"]), bool(head["perhaps_turned"])
        return KeptExposure(places[0], places[1], places[2], had, bound_mm, turned)
    except (zlib.error, KeyError, TypeError, UnicodeDecodeError) as trouble:
        raise ValueError(f"these are no packed cells ({trouble})") from trouble
