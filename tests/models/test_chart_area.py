"""The area of a patch of skin belongs to the skin: no choice of the chart that is laid over it changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import zone_chart
from models.catalogue import load_zones
from models.chart import ZoneChart
from models.geometry import Floats, unit
from models.surface import empty_surface
from models.zone_chart import Outline, uv_of
from tests.models.skin_scenes import tapped_chart

ZONE = replace(load_zones()["calf"], leave_out=(), relief=())
DEEP_MM = 900.0


@dataclass(frozen=True)
class Shape:
    """A surface ``height`` mm towards the camera over x and y; its charts' axis ``nominal_mm`` below."""

    height: Callable[[Floats, Floats], Floats]
    nominal_mm: float
    turned_rad: float
    """Charts are turned by so much at most. A radius about an axis below says little of skin that is hollow
    across the axis: turned by a right angle the saddle is up to 6 mm too high 75 mm from its origin."""

    def at(self, x_mm: Floats, y_mm: Floats) -> Floats:
        """Points of the skin, rgb frame, shape (..., 3)."""
        return np.stack([x_mm, y_mm, DEEP_MM - self.height(x_mm, y_mm)], axis=-1)

    def slopes(self, x_mm: Floats, y_mm: Floats) -> tuple[Floats, Floats]:
        """Of the height, by differences."""
        step = 1e-3
        by_x = (self.height(x_mm + step, y_mm) - self.height(x_mm - step, y_mm)) / (2.0 * step)
        by_y = (self.height(x_mm, y_mm + step) - self.height(x_mm, y_mm - step)) / (2.0 * step)
        return by_x, by_y

    def normal(self, x_mm: float, y_mm: float) -> Floats:
        """Outward, shape (3,)."""
        by_x, by_y = self.slopes(np.array(x_mm), np.array(y_mm))
        return unit(np.array([-by_x, -by_y, -1.0]))

    def area_cm2(self, half_x_mm: float, half_y_mm: float) -> float:
        """Of the skin over an ellipse in x and y, by the sum of its elements on a fine polar grid."""
        turns = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False, dtype=np.float64)
        share, turn = np.meshgrid(np.linspace(0.0025, 0.9975, 200, dtype=np.float64), turns)
        x: Floats = half_x_mm * share * np.cos(turn)
        y: Floats = half_y_mm * share * np.sin(turn)
        by_x, by_y = self.slopes(x, y)
        element = half_x_mm * half_y_mm * share / 200.0 * 2.0 * np.pi / 720.0
        return float((element * np.sqrt(1.0 + by_x**2 + by_y**2)).sum() / 100.0)


def round_bar(x_mm: Floats, radius_mm: Floats | float) -> Floats:
    return np.sqrt(np.maximum(radius_mm**2 - x_mm**2, 0.0)) - 60.0


SHAPES = {
    "cylinder": Shape(lambda x, y: round_bar(x, 60.0), 60.0, 1.57),
    "cone": Shape(lambda x, y: round_bar(x, 60.0 - 0.12 * y), 60.0, 1.57),
    "sphere": Shape(lambda x, y: np.sqrt(np.maximum(110.0**2 - x**2 - y**2, 0.0)) - 110.0, 110.0, 1.57),
    "saddle": Shape(lambda x, y: (y**2 - x**2) / 220.0, 110.0, 0.5),
}
HALF_X_MM, HALF_Y_MM = 36.0, 48.0
"""On the cylinder to 37 degrees from its middle line."""


def charted(
    shape: Shape, *, x_mm: float = 0.0, y_mm: float = 0.0, turn_rad: float = 0.0, cell_mm: float = 5.0
) -> ZoneChart:
    """The patch on a chart whose origin and direction lie elsewhere, with cells of another size."""
    grid = np.arange(-150.0, 150.0, 1.8)
    x, y = (a.ravel() for a in np.meshgrid(grid[np.abs(grid) < 57.0], grid))
    surface = empty_surface(
        centre_rgb_mm=shape.at(np.array(x_mm), np.array(y_mm)),
        normal_rgb=shape.normal(x_mm, y_mm),
        v_rgb=np.array([np.sin(turn_rad), -np.cos(turn_rad), 0.0]),
        nominal_mm=shape.nominal_mm,
        half_u_mm=140.0,
        half_v_mm=170.0,
        noise_u95_mm=0.0,
    )
    skin = surface.add(shape.at(x, y)).skin()
    turn = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    rim = shape.at(HALF_X_MM * np.cos(turn), HALF_Y_MM * np.sin(turn))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zone_chart, "CELL_MM", cell_mm)
        chart = tapped_chart(skin, Outline(uv_of(skin, rim, u_sign=1.0)), zone=ZONE)
    assert chart is not None
    return chart


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    x_mm=st.floats(-14.0, 14.0),
    y_mm=st.floats(-30.0, 30.0),
    turned=st.floats(-1.0, 1.0),
    cell_mm=st.sampled_from([2.5, 4.0, 5.0]),
)
def test_the_same_patch_has_the_same_area_on_every_chart(
    name: str, x_mm: float, y_mm: float, turned: float, cell_mm: float
) -> None:
    """Its own area, whatever the origin, the turn and the size of the cells.

    Cells on the rim belong to the patch as a whole or not at all: each is off by up to half of itself, 0.29
    standard deviations. Three of those for the rim, and 1 % for the smoothing of the surface.
    """
    shape = SHAPES[name]
    chart = charted(shape, x_mm=x_mm, y_mm=y_mm, turn_rad=turned * shape.turned_rad, cell_mm=cell_mm)
    on_rim = 4.0 * (HALF_X_MM + HALF_Y_MM) / cell_mm
    true_cm2 = shape.area_cm2(HALF_X_MM, HALF_Y_MM)
    rough_cm2 = 3.0 * 0.29 * np.sqrt(on_rim) * cell_mm**2 / 100.0
    assert chart.zone_area_cm2 == pytest.approx(true_cm2, abs=rough_cm2 + 0.01 * true_cm2)


def test_the_area_on_a_cylinder_of_60_mm_radius_is_the_analytic_one() -> None:
    """A cylinder unrolls: strips of height 2 b sqrt(1 - (x / a)^2), wide R dx / sqrt(R^2 - x^2)."""
    x = HALF_X_MM * np.sin((np.arange(20_000) + 0.5) / 20_000 * np.pi - np.pi / 2.0)
    height_mm = 2.0 * HALF_Y_MM * np.sqrt(1.0 - (x / HALF_X_MM) ** 2)
    step_mm = np.pi / 20_000 * np.sqrt(HALF_X_MM**2 - x**2)
    analytic_cm2 = float((height_mm * 60.0 / np.sqrt(60.0**2 - x**2) * step_mm).sum() / 100.0)
    assert SHAPES["cylinder"].area_cm2(HALF_X_MM, HALF_Y_MM) == pytest.approx(analytic_cm2, rel=1e-4)
    for cell_mm in (2.5, 5.0, 7.0):
        assert charted(SHAPES["cylinder"], cell_mm=cell_mm).zone_area_cm2 == pytest.approx(
            analytic_cm2, rel=0.03
        )


def test_the_area_on_a_saddle_and_a_sphere_is_the_analytic_one() -> None:
    """The judge of these tests against closed forms over a disc of 40 mm."""
    a, r = 1.0 / 220.0, 40.0
    saddle_mm2 = np.pi / (6.0 * a**2) * ((1.0 + 4.0 * a**2 * r**2) ** 1.5 - 1.0)
    sphere_mm2 = 2.0 * np.pi * 110.0 * (110.0 - np.sqrt(110.0**2 - r**2))
    assert SHAPES["saddle"].area_cm2(r, r) == pytest.approx(saddle_mm2 / 100.0, rel=1e-4)
    assert SHAPES["sphere"].area_cm2(r, r) == pytest.approx(sphere_mm2 / 100.0, rel=1e-4)
