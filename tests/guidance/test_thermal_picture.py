"""Temperatures are drawn as they are, and what was not read is not drawn as a temperature."""

from __future__ import annotations

import numpy as np
import pytest

from guidance.palette import MAGENTA, bgr
from guidance.thermal_picture import draw_thermal
from models.capture import ThermalPicture


def picture(*, shutter: bool = False) -> ThermalPicture:
    degc = np.tile(np.linspace(0.0, 36.0, 40), (30, 1))
    counts = np.round((degc + 273.15) * 100.0).astype(np.uint16)
    counts[:5, :5] = 0
    return ThermalPicture(0.0, counts, shutter)


def test_colder_is_darker() -> None:
    drawn = draw_thermal(picture(), low_degc=0.0, high_degc=36.0, scale=4)
    assert drawn.shape == (120, 160, 3)
    assert (np.diff(drawn[100, ::4].astype(float).sum(axis=1)) >= 0.0).all()


def test_pixels_without_a_reading_are_striped() -> None:
    drawn = draw_thermal(picture(), low_degc=0.0, high_degc=36.0, scale=4)
    striped = (drawn == bgr(MAGENTA)).all(axis=2)
    assert striped[:20, :20].mean() == pytest.approx(1 / 3, abs=0.05)
    assert not striped[20:].any()
    assert not striped[:, 20:].any()


def test_a_closed_shutter_shows_no_temperature_at_all() -> None:
    drawn = draw_thermal(picture(shutter=True), low_degc=0.0, high_degc=36.0, scale=2)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 2


def test_a_range_without_width_is_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        draw_thermal(picture(), low_degc=5.0, high_degc=5.0, scale=2)
