"""Clipped ends of 8-bit scales: found where the camera put them, never where a scene merely is even."""

from pathlib import Path

import numpy as np

from vision.grey_clip import Ends, clipped_ends
from vision.thermal_formats import open_thermal
from vision.thermal_source import Told


def histogram(*values: np.ndarray) -> np.ndarray:
    return np.bincount(np.clip(np.rint(np.concatenate(values)), 0, 255).astype(int), minlength=256)


def scene() -> np.ndarray:
    """Skin of many temperatures before a background that is even but for noise."""
    noise = np.random.default_rng(3)
    return np.concatenate([noise.uniform(20, 200, 40_000), noise.normal(60, 1.5, 40_000)])


def test_an_end_inside_the_numbers_is_found() -> None:
    assert clipped_ends(histogram(np.maximum(scene(), 40))) == Ends(40, 255)
    assert clipped_ends(histogram(np.minimum(scene(), 150))) == Ends(0, 150)


def test_a_caption_below_the_end_does_not_hide_it() -> None:
    assert clipped_ends(histogram(np.maximum(scene(), 40), np.full(1600, 1.0))).low == 40


def test_an_even_background_is_no_end() -> None:
    assert clipped_ends(histogram(scene())) == Ends(0, 255)


def test_a_caption_in_the_middle_of_the_scale_is_no_end() -> None:
    assert clipped_ends(histogram(scene(), np.full(5_000, 90.0))) == Ends(0, 255)


def test_one_even_picture_keeps_its_value() -> None:
    assert clipped_ends(histogram(np.full(1000, 77.0))) == Ends(0, 255)


def test_the_series_of_the_cold_hand_is_clipped_at_value_5(shared_data: Path) -> None:
    folder = shared_data / "real" / "cold_hand"
    source = open_thermal(folder / "left_1.Tif", Told(degc_at_0=18.4, degc_per_step=0.0625))
    assert "8-bit values up to 5 " in source.warnings[-1]
