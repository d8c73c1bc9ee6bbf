"""A straight edge tells how far the thermal camera spreads, and what it mixes in from far around."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.outstanding import errors_on_skin
from calibration.spread import SpreadFound, at_straight_edge, find_spread
from guidance.cli import main
from models.geometry import Floats
from models.rig_file import read_rig, write_rig
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene


def edge(*, share: float, seed: int, lean: float = 0.06, bend: float = 0.0) -> Floats:
    """Warm beside cold, drawn eight times finer, spread as the simulated camera does it, with noise."""
    y, x = np.indices((192 * 4, 256 * 4)) / 4.0
    fine = np.where(x > 120.0 + lean * y + bend * (y - 96.0) ** 2, 40.0, 15.0).astype(np.float32)
    seen = (1.0 - share) * cv2.GaussianBlur(fine, (0, 0), 0.7 * 4) + share * cv2.GaussianBlur(
        fine, (0, 0), 28.0
    )
    small = cv2.resize(seen, (256, 192), interpolation=cv2.INTER_AREA)
    return small + np.random.default_rng(seed).normal(0.0, 0.06, small.shape)


@pytest.mark.parametrize("share", [0.03, 0.09, 0.15])
def test_share_and_reach_of_the_halo_are_found_within_their_bounds(share: float) -> None:
    pictures = [(f"{k}", edge(share=share, seed=k, lean=0.03 * (k + 1))) for k in range(4)]
    found = find_spread(pictures)
    assert isinstance(found, SpreadFound)
    assert abs(found.halo_share - share) <= found.halo_u95 < 0.03
    assert found.halo_px == pytest.approx(7.0, rel=0.1)
    assert found.sigma_px == pytest.approx(np.hypot(0.7, 0.29), abs=0.05)


def test_what_is_no_straight_edge_is_refused_with_the_reason() -> None:
    assert "not straight" in str(at_straight_edge(edge(share=0.09, seed=0, bend=0.002)))
    assert "no step" in str(at_straight_edge(np.full((192, 256), 30.0)))


def test_the_rig_states_what_was_measured(tmp_path: Path) -> None:
    shown, rig = tmp_path / "edge", tmp_path / "rig.toml"
    shown.mkdir()
    for k in range(3):
        centikelvin = np.rint(100.0 * (edge(share=0.09, seed=k) + 273.15)).astype(np.uint16)
        cv2.imwrite(str(shown / f"{k}.png"), centikelvin)
    rig.write_text(write_rig(real_rig(Scene())))
    assert main(["calibrate", "spread", str(shown), "--rig", str(rig)]) == 0
    told = errors_on_skin(rig)["spread"]  # what is left, not what the bare camera had
    assert "with spread and halo taken out: too warm by at most " in told
    assert "bare camera" not in told
    told, _ = read_rig(rig.read_text(), where="rig")
    assert told.thermal is not None
    assert told.thermal.spread is not None
    assert told.thermal.spread.halo is not None
    assert told.thermal.spread.halo.share == pytest.approx(0.09, abs=0.02)


def test_pictures_without_temperatures_are_no_thermal_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(write_rig(real_rig(Scene())))
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((192, 256), np.uint8))
    assert main(["calibrate", "spread", str(tmp_path), "--rig", str(rig)]) == 2
    assert "holds no temperatures" in capsys.readouterr().err
