"""How fast the jet should sweep: never slower than the protocol says, faster where the skin asks for it."""

from __future__ import annotations

import math

import pytest

from guidance.overlay.sweep import sweep_words
from guidance.stages.sweep import guide_of
from models.catalogue import load_protocols
from models.time_to_limit import SweepBand

PROTOCOL = load_protocols()["ln2-analgesia"]
LOW, HIGH = PROTOCOL.sweep_low_cm_s, PROTOCOL.sweep_high_cm_s
WARM = SweepBand(slowest_mm_s=5.0, fastest_mm_s=8.0)


def test_on_warm_skin_the_protocols_speeds_hold() -> None:
    guide = guide_of(WARM, PROTOCOL, speed_cm_s=(LOW + HIGH) / 2.0, t_s=1.0)
    assert (guide.low_cm_s, guide.high_cm_s, guide.advice) == (LOW, HIGH, "")
    assert (guide.slowest_cm_s, guide.fastest_cm_s) == pytest.approx((0.5, 0.8))


@pytest.mark.parametrize(
    ("speed_cm_s", "advice"),
    [(0.9 * LOW, "too slow"), (LOW, ""), (HIGH, ""), (1.1 * HIGH, "too fast"), (None, "")],
)
def test_the_hand_is_told_which_way_it_is_off(speed_cm_s: float | None, advice: str) -> None:
    assert guide_of(WARM, PROTOCOL, speed_cm_s=speed_cm_s, t_s=1.0).advice == advice


def test_skin_already_cold_asks_for_a_faster_sweep_than_the_protocol() -> None:
    band = SweepBand(slowest_mm_s=15.0 * HIGH, fastest_mm_s=20.0 * HIGH)
    guide = guide_of(band, PROTOCOL, speed_cm_s=1.2 * HIGH, t_s=1.0)
    assert guide.low_cm_s == pytest.approx(1.5 * HIGH)
    assert guide.high_cm_s == pytest.approx(2.0 * HIGH)
    assert guide.advice == "too slow"
    no_top = SweepBand(slowest_mm_s=15.0 * HIGH, fastest_mm_s=0.0)
    assert sweep_words(guide_of(no_top, PROTOCOL, speed_cm_s=None, t_s=1.0)).startswith("at least ")


def test_skin_that_no_pass_leaves_in_its_band_is_to_rewarm_whatever_the_speed() -> None:
    for speed_cm_s in (None, LOW, 10.0 * HIGH):
        band = SweepBand(slowest_mm_s=math.inf, fastest_mm_s=math.inf)
        guide = guide_of(band, PROTOCOL, speed_cm_s=speed_cm_s, t_s=1.0)
        assert guide.advice == "let it rewarm"
        assert sweep_words(guide) == "let skin rewarm"
