"""Where the body ends in the picture, and how much of a pixel at its rim may show what lies behind."""

from __future__ import annotations

import numpy as np
import pytest

from models.geometry import Floats
from tests.models.skin_scenes import chart_on, cylinder
from vision.rim import horizon, off_share

RADIUS_MM, PX_MM = 60.0, 0.25
CHART = chart_on(cylinder(RADIUS_MM), rows=15, cols=33)


def seen(view: Floats) -> tuple[Floats, Floats]:
    """Cosine and pixels of the cells for a far camera that looks along a way."""
    across = np.cross([0.0, 1.0, 0.0], view)
    across /= np.linalg.norm(across)
    down = np.cross(view, across)
    px = PX_MM * np.stack([CHART.position_mm @ across, CHART.position_mm @ down], axis=1)
    return -(CHART.normal @ view), px


def axis_of_limb() -> Floats:
    """Direction in which the normals do not change."""
    return np.linalg.svd(CHART.normal)[2][2]


@pytest.mark.parametrize("turned", [0.0, 0.5, 1.0])
def test_the_outline_of_a_limb_is_foretold(turned: float) -> None:
    """Seen square to its axis from any side; cells within 75 degrees of the line of sight.

    Measured 1e-9 px inside the chart, 0.34 px at its edge, where a cell has a neighbour on one side only.
    """
    axis, middle = axis_of_limb(), -CHART.normal[len(CHART) // 2]
    aside = np.cross(axis, middle)
    view = np.cos(turned) * middle + np.sin(turned) * aside
    facing, px = seen(view)
    true_px = PX_MM * RADIUS_MM * (1.0 - np.sqrt(np.clip(1.0 - facing**2, 0.0, 1.0)))
    rim = (facing > 0.26) & (facing < 0.9)
    ends = horizon(CHART, facing, px)
    assert rim.sum() > 100
    edge = (CHART.col == 0) | (CHART.col == CHART.col.max())
    error_px = np.abs(ends.inside_px - true_px)
    assert error_px[rim & ~edge].max() < 1e-6
    assert error_px[rim].max() < 0.5
    out_mm = CHART.normal[rim] - (CHART.normal[rim] @ view)[:, None] * view
    away_mm = out_mm / np.linalg.norm(out_mm, axis=1, keepdims=True)
    across = np.cross([0.0, 1.0, 0.0], view)
    across /= np.linalg.norm(across)
    way = np.stack([away_mm @ across, away_mm @ np.cross(view, across)], axis=1)
    assert ((way * ends.way[rim]).sum(axis=1) > 0.99).all()


def test_a_flat_surface_has_no_rim_and_one_turned_away_is_beyond_it() -> None:
    facing, px = seen(-CHART.normal[len(CHART) // 2])
    ends = horizon(CHART, facing, px)
    assert np.isinf(ends.inside_px[facing > 0.999]).all()
    assert (horizon(CHART, -facing, px).inside_px[facing > 0.0] == 0.0).all()
    even = horizon(CHART, np.full(len(CHART), 0.7), px)
    assert np.isinf(even.inside_px).all()


def test_the_share_grows_towards_the_rim_with_the_spread_and_with_what_is_not_known() -> None:
    inside = np.array([0.0, 1.0, 2.0, np.inf])
    share = off_share(inside, spread_px=0.9, misplaced_u95_px=np.full(4, 0.6))
    assert (np.diff(share) < 0.0).all()
    assert share[-1] == 0.0
    assert off_share(inside, spread_px=0.9, misplaced_u95_px=np.zeros(4))[0] == pytest.approx(0.5)
    assert (off_share(inside, spread_px=0.9, misplaced_u95_px=np.full(4, 1.2)) >= share).all()
    assert off_share(inside, spread_px=1.8, misplaced_u95_px=np.full(4, 0.6))[2] > share[2]
