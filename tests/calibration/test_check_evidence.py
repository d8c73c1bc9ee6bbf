"""What a check sees in a recording whose clocks nobody has calibrated yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from calibration.check_evidence import Evidence, gather
from calibration.sheets import TARGET
from tests.calibration.check_scenes import board_session
from tests.calibration.test_check import RIG


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return board_session(tmp_path_factory.mktemp("shown") / "session", RIG, RIG)


def seen(session: Path, *, ahead_s: float) -> Evidence:
    """Of a board held still, with thermal pictures stamped so much later than they were taken."""
    assert RIG.thermal is not None
    thermal = replace(RIG.thermal, rgb_minus_thermal_s=RIG.thermal.rgb_minus_thermal_s + ahead_s)
    return gather(session, replace(RIG, thermal=thermal), TARGET, references=None)


@pytest.mark.parametrize("ahead_s", [-0.2, 0.0, 0.2, 0.6])
def test_a_board_is_seen_by_both_cameras_whatever_their_clocks_say(session: Path, ahead_s: float) -> None:
    views = seen(session, ahead_s=ahead_s).views
    assert sum(view.thermal is not None for view in views) >= 4


def test_clocks_seconds_apart_bring_no_pictures_together(session: Path) -> None:
    found = seen(session, ahead_s=-3.0)
    assert all(view.thermal is None for view in found.views)
    assert found.views or "calibrate `time` first" in found.board_words
