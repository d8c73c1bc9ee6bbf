"""A session interrupted and resumed goes on from its exposure; the time between stays unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.stages.state import OnSkin, Setup
from models.carry import Carried
from models.exposure_pack import KeptExposure
from models.protocol import Ladder
from tests.guidance.scripted import Played, Player, Script, setup_of

HALF = Script(gas_s=(0.5, 1.5))


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def first(patch: pytest.MonkeyPatch) -> Played:
    return Player(patch).play(HALF, to_s=2.0)


def on_skin(played: Played) -> OnSkin:
    assert played.state.on_skin is not None
    return played.state.on_skin


def resumed(first: Played, *, gap_gas_s: float = 0.0, with_map: bool = True) -> Setup:
    done = on_skin(first)
    kept = KeptExposure(
        done.chart.u_mm, done.chart.v_mm, done.chart.area_cm2, done.exposure, done.chart.place_u95_mm
    )
    tiles = tuple(done.tile_time_s.tolist())
    carried = Carried("a", kept if with_map else None, first.state.gas_total_s, tiles, 40.0, gap_gas_s)
    return replace(setup_of(), carried=carried, session_used_s=first.state.gas_total_s + gap_gas_s)


def test_two_halves_add_up_to_the_whole(first: Played, patch: pytest.MonkeyPatch) -> None:
    """Gas for 1 s and for 1 s, against 2 s; the two placements differ by the depth camera's noise."""
    whole = on_skin(Player(patch).play(Script(gas_s=(0.5, 2.5)), to_s=3.0))
    halves = on_skin(Player(patch).play(HALF, to_s=2.0, setup=resumed(first)))
    assert halves.exposure.dwell_s.max() == pytest.approx(whole.exposure.dwell_s.max(), rel=0.05)
    assert halves.tile_time_s == pytest.approx(whole.tile_time_s)
    assert float((halves.exposure.dwell_s * halves.chart.area_cm2).sum()) == pytest.approx(
        float((whole.exposure.dwell_s * whole.chart.area_cm2).sum()), rel=0.05
    )


def test_the_gap_is_unassigned_and_where_the_valve_was_shut_no_gas_of_it_is_put_on_skin(
    first: Played, patch: pytest.MonkeyPatch
) -> None:
    played = Player(patch).play(HALF, to_s=2.0, setup=resumed(first))
    assert played.state.unassigned_s == pytest.approx(40.0)
    assert on_skin(played).exposure.blind_gas_s.max() == 0.0


def test_gas_that_may_have_flowed_in_the_gap_may_have_gone_to_any_cell(
    first: Played, patch: pytest.MonkeyPatch
) -> None:
    played = Player(patch).play(HALF, to_s=2.0, setup=resumed(first, gap_gas_s=40.0))
    assert on_skin(played).exposure.blind_gas_s.min() == pytest.approx(40.0)
    assert on_skin(played).exposure.dwell_upper_s.min() >= 40.0
    assert on_skin(played).tile_time_s.max() == pytest.approx(42.0)


def test_without_a_map_the_earlier_gas_may_have_gone_to_any_cell(
    first: Played, patch: pytest.MonkeyPatch
) -> None:
    played = Player(patch).play(HALF, to_s=2.0, setup=resumed(first, with_map=False))
    assert on_skin(played).exposure.blind_gas_s.min() == pytest.approx(1.0)


def test_what_is_used_up_counts_towards_the_session_total(first: Played, patch: pytest.MonkeyPatch) -> None:
    setup = resumed(first)
    nearly = replace(setup, session_used_s=setup.protocol.session_time_s - 0.5)
    assert Player(patch).play(HALF, to_s=2.0, setup=setup).first_s("session_time") is None
    stopped_s = Player(patch).play(HALF, to_s=2.0, setup=nearly).first_s("session_time", priority="high")
    assert stopped_s == pytest.approx(1.0, abs=0.11)


def test_skin_with_little_blood_is_never_forecast_warmer(patch: pytest.MonkeyPatch) -> None:
    """The same pictures; the model's own part differs by the blood."""
    rested = on_skin(Player(patch).play(HALF, to_s=2.0)).model
    cooled = on_skin(Player(patch).play(HALF, to_s=2.0, setup=replace(setup_of(), perfusion=0.1))).model
    for layer, other in zip(cooled.tissue.layers, rested.tissue.layers, strict=True):
        assert layer.perfusion_1_s.value == pytest.approx(0.1 * other.perfusion_1_s.value)
    lower = cooled.now.skin.surface_degc - rested.now.skin.surface_degc
    assert lower.max() < 0.05


def test_a_limit_reached_by_both_halves_is_told(first: Played, patch: pytest.MonkeyPatch) -> None:
    """1.0 jet-seconds each, limit 1.5."""
    setup = resumed(first)
    strict = replace(setup, protocol=replace(setup.protocol, dwell_s=Ladder(1.2, 1.5)))
    alone = replace(strict, carried=None)
    assert Player(patch).play(HALF, to_s=2.0, setup=alone).first_s("dwell", priority="high") is None
    assert Player(patch).play(HALF, to_s=2.0, setup=strict).first_s("dwell", priority="high") is not None


def test_a_zone_that_is_all_unknown_is_not_sent_elsewhere(first: Played, patch: pytest.MonkeyPatch) -> None:
    """Gas may have flowed in the gap for longer than the limit of a spot, on any of them."""
    limit_s = resumed(first).protocol.dwell_s.stop
    played = Player(patch).play(HALF, to_s=2.0, setup=resumed(first, gap_gas_s=limit_s + 5.0))
    (alarm,) = {a.message: a for told in played.steps for a in told.active if "dwell" in a.cause}.values()
    assert alarm.cause == "dwell_unknown"
    assert "not known" in alarm.message
    assert "look at the skin" in alarm.message
    assert "elsewhere" not in alarm.message
    # With the valve shut meanwhile the same session hears nothing of the kind.
    shut = Player(patch).play(HALF, to_s=2.0, setup=resumed(first))
    assert shut.first_s("dwell_unknown") is None
