"""Thermal files are told apart by content, and refused with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.problems import InputError
from tests.vision.flir_files import jpeg, scene_degc, thermal_block
from tests.vision.thermal_files import (
    NOON,
    centikelvin,
    irg,
    lepton,
    tiff,
    write_video,
)
from vision.thermal_formats import open_thermal
from vision.thermal_source import Told, natural_order


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"BM" + bytes(60), "is of a kind that is not read"),
        (b"GIF89a" + bytes(60), "is of a kind that is not read"),
        (b"hello, this is a letter", "is of no known kind"),
        (b"\xff\xd8\xff\xe0" + bytes(60), "holds no radiometric data"),
        (b"FFF\0" + bytes(100), "holds no whole FLIR picture"),
        (b"\xca\xac" + bytes(200), "is of a kind of .irg that is not known"),
        (b"II*\0" + b"\xff" * 60, "ends too early"),
        (b"PK\3\4" + bytes(60), "cannot be read"),
        (b"\x93NUMPY" + bytes(60), "cannot be read"),
        (b"\x1aE\xdf\xa3" + bytes(60), "cannot be read as a video"),
    ],
)
def test_what_is_no_thermal_file_is_refused_with_the_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "some.file"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"some.file.*{reason}"):
        open_thermal(path, Told())


@pytest.mark.parametrize("kind", ["seq", "irg", "tif", "npy", "npz", "y16", "mkv", "jpg"])
def test_no_damage_ends_in_anything_but_a_refusal_or_pictures(tmp_path: Path, kind: str) -> None:
    """Flipped bytes and cuts, mostly in the headers; 1,950 files of a longer run ended the same way."""
    path = tmp_path / f"t.{kind}"
    counts = centikelvin(scene_degc())
    if kind in ("seq", "jpg"):
        block = thermal_block(scene_degc(), raw="plain", unix_s=NOON)
        path.write_bytes(block * 2 if kind == "seq" else jpeg(block))
    elif kind in ("irg", "tif"):
        path.write_bytes(irg(scene_degc()) if kind == "irg" else tiff(counts, order="<"))
    elif kind == "npz":
        np.savez(path, t_s=np.arange(2.0), centikelvin=np.stack([counts, counts]))
    elif kind == "npy":
        np.save(path, counts)
    elif kind == "y16":
        path.write_bytes(lepton(np.full((120, 160), 20.0)).tobytes())
    else:
        write_video(path, [counts, counts], codec="ffv1", pixels="gray16le", times_ms=[0, 110])
    told: list[str] = []
    whole, chance = path.read_bytes(), np.random.default_rng(5)
    for _ in range(30):
        spoilt = bytearray(whole)
        for _ in range(chance.integers(1, 6)):
            spoilt[chance.integers(4, min(len(whole), 400))] = chance.integers(256)
        path.write_bytes(bytes(spoilt[: chance.integers(4, len(whole))] if chance.random() < 0.2 else spoilt))
        try:
            source = open_thermal(path, Told("centikelvin"))
            for reading in source.read():
                assert reading is None or reading.values.shape == (source.height_px, source.width_px)
        except InputError as refusal:
            told.append(str(refusal))
    assert [sentence for sentence in told if path.name not in sentence] == []


def test_an_empty_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no pictures"):
        open_thermal(tmp_path, Told())
    with pytest.raises(InputError, match=r"gone\.seq cannot be read"):
        open_thermal(tmp_path / "gone.seq", Told())


def test_picture_2_comes_before_picture_10() -> None:
    names = ["left_10.Tif", "left_2.Tif", "Left_1.Tif", "left_2b.Tif"]
    ordered = sorted((Path(name) for name in names), key=natural_order)
    assert [path.name for path in ordered] == ["Left_1.Tif", "left_2.Tif", "left_2b.Tif", "left_10.Tif"]
