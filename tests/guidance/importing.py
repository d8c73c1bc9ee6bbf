"""Options of ``cryoguide import`` for the tests, and a small array to import."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from guidance.cli import main

TREATED = ["--zone", "calf", "--side", "left", "--protocol", "co2-analgesia"]
TREATED += ["--started", "2026-11-23T10:00:00Z"]
ROOM = ["--reflected-degc", "22", "--distance-mm", "700", "--camera-emissivity", "1"]
THERMAL_ONLY = [
    "--every-s", "0.1", "--offset-s", "0", "--distance-mm", "0", "--camera-emissivity", "1",
    "--outline", "2,2 10,2 10,9", *TREATED,
]  # fmt: skip


def run(*arguments: object) -> int:
    """Exit code of an import."""
    return main(["import", *map(str, arguments)])


def small_array(folder: Path) -> Path:
    """Three pictures of 16 x 12 pixels at 20 degC."""
    path = folder / "t.npy"
    np.save(path, np.full((3, 12, 16), 20.0, np.float32))
    return path
