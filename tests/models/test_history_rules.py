"""Whether a zone may be treated again: claims about the rules of the protocols."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import load_protocols
from models.earlier import goes_on_from, perfusion_now, used_s
from models.history import PastSession
from models.history_rules import Allowed, Refused, SkinReading, Warned, may_treat
from models.protocol import Rule
from tests import history_scenes
from tests.history_scenes import NOON

PROTOCOLS = load_protocols()
LN2, CO2, AIR = (PROTOCOLS[f"{device}-analgesia"] for device in ("ln2", "co2", "air"))
WARM, COLD = SkinReading(31.0, 0.5), SkinReading(26.0, 0.5)
HOUR = timedelta(hours=1)


def past(recording: str = "a", **changes: object) -> PastSession:
    """As everywhere, but without a STOP."""
    return history_scenes.past(recording, **({"limits": ()} | changes))


def judged(
    *history: PastSession,
    hours: float,
    protocol=LN2,
    zone: str = "knee",
    side: str = "left",
    skin: SkinReading | None = WARM,
) -> Allowed | Warned | Refused:
    """So many hours after the last of these sessions ended."""
    now = max((session.ended for session in history), default=NOON) + hours * HOUR
    return may_treat(history, protocol=protocol, zone=zone, side=side, now=now, skin=skin)


def rules(verdict: Allowed | Warned | Refused, *, refusing: bool = False) -> set[str]:
    return {reason.rule for reason in verdict.reasons if reason.refuses or not refusing}


def with_device(device: str, recording: str = "a", **changes: object) -> PastSession:
    names = {"ln2": "ln2-wand", "co2": "co2", "air": "chilled-air"}
    return past(recording, device=names[device], protocol=f"{device}-analgesia", **changes)


def test_who_was_never_treated_may_be() -> None:
    assert judged(hours=0.0) == Allowed()


@pytest.mark.parametrize(("device", "hours"), [("ln2", 3.0), ("co2", 8.0), ("air", 3.0)])
def test_the_same_zone_has_to_rest(device: str, hours: float) -> None:
    """LN2 3 h, CO2 8 h, air 3 h (domain section 8)."""
    protocol, before = PROTOCOLS[f"{device}-analgesia"], with_device(device)
    assert isinstance(judged(before, hours=hours - 0.01, protocol=protocol), Refused)
    assert isinstance(judged(before, hours=hours + 0.01, protocol=protocol), Allowed)


def test_the_longer_of_two_protocols_intervals_holds() -> None:
    after_co2 = with_device("co2", zone_interval_s=8 * 3600.0)
    verdict = judged(after_co2, hours=4.0, protocol=LN2)
    assert isinstance(verdict, Refused)
    assert "co2-analgesia wants 8 h" in verdict.reasons[0].words


@pytest.mark.parametrize(("device", "a_day"), [("co2", 2), ("air", 3)])
def test_no_zone_is_treated_too_often_in_a_day(device: str, a_day: int) -> None:
    """CO2 at most 2, air at most 3 a day (domain section 8)."""
    protocol = PROTOCOLS[f"{device}-analgesia"]
    hours = protocol.again.interval_s.value / 3600.0 + 0.1
    earlier = [with_device(device, str(k), started=NOON + k * hours * HOUR) for k in range(a_day)]
    assert isinstance(judged(*earlier[:-1], hours=hours, protocol=protocol), Allowed)
    verdict = judged(*earlier, hours=hours, protocol=protocol)
    assert isinstance(verdict, Refused)
    assert rules(verdict, refusing=True) == {"sessions_a_day"}


def test_a_warning_protocol_warns_where_a_refusing_one_refuses() -> None:
    again = replace(LN2.again, interval_s=Rule(10800.0, refuses=False))
    verdict = judged(past(), hours=1.0, protocol=replace(LN2, again=again))
    assert isinstance(verdict, Warned)
    assert "interval" in rules(verdict)


def test_other_zones_and_the_other_side_do_not_count_but_both_sides_meet_each() -> None:
    assert "interval" not in rules(judged(past(), hours=1.0, side="right"))
    assert "interval" not in rules(judged(past(), hours=1.0, zone="calf"))
    assert "interval" in rules(judged(past(side="both", zone="neck"), hours=1.0, zone="neck", side="left"))


def test_a_recording_without_gas_is_no_treatment() -> None:
    assert judged(past(gas_s=0.0), hours=1.0) == Allowed()


def test_skin_that_has_not_rewarmed_is_refused_even_after_the_interval() -> None:
    verdict = judged(past(), hours=4.0, skin=COLD)
    assert isinstance(verdict, Refused)
    assert rules(verdict, refusing=True) == {"rewarmed"}


@pytest.mark.parametrize("skin", [None, SkinReading(29.0, 2.0), SkinReading(35.0, None)])
def test_skin_of_which_one_cannot_be_sure_is_warned_of(skin: SkinReading | None) -> None:
    verdict = judged(past(), hours=4.0, skin=skin)
    assert isinstance(verdict, Warned)
    assert rules(verdict) == {"rewarmed"}


@pytest.mark.parametrize("history", [(), (past(),)])
def test_skin_that_is_cold_is_refused_whatever_the_history(history: tuple[PastSession, ...]) -> None:
    verdict = judged(*history, hours=120.0, skin=COLD)
    assert rules(verdict, refusing=True) == {"rewarmed"}
    assert "again" not in verdict.reasons[0].words
    assert rules(judged(*history, hours=120.0, skin=SkinReading(29.0, 2.0))) == {"rewarmed"}
    assert judged(*history, hours=120.0, skin=None) == Allowed()


def test_warm_skin_does_not_shorten_the_interval_and_low_blood_flow_is_told() -> None:
    verdict = judged(past(), hours=1.0, skin=SkinReading(33.0, 0.1))
    assert rules(verdict) == {"interval", "perfusion"}
    assert isinstance(verdict, Refused)
    assert "perfusion" not in rules(judged(past(), hours=2.1))


@pytest.mark.parametrize(("hours", "share"), [(0.1, 0.1), (1.9, 0.1), (2.1, 1.0)])
def test_blood_flow_is_taken_as_low_for_two_hours(hours: float, share: float) -> None:
    """Khoshnevis 2016: no recovery through 120 min of rewarming; cold skin has 0.1 to 0.3 of its flow."""
    now = past().ended + hours * HOUR
    assert perfusion_now([past()], protocol=LN2, zone="knee", side="left", now=now) == share
    assert perfusion_now([past()], protocol=LN2, zone="knee", side="right", now=now) == 1.0


def test_the_session_total_counts_all_zones_and_is_given_back_after_the_interval() -> None:
    """LN2: 720 s in all when several areas are treated, 3 h between sessions."""
    knee, calf = past("a", gas_s=400.0), past("b", zone="calf", gas_s=200.0, started=NOON + 0.2 * HOUR)
    verdict = judged(knee, calf, hours=0.2, zone="lumbar", side="both")
    assert isinstance(verdict, Warned)
    assert "120 s are left" in verdict.reasons[0].words
    more = replace(calf, gas_s=320.0)
    assert rules(judged(knee, more, hours=0.2, zone="lumbar"), refusing=True) == {"session_time"}
    assert judged(knee, more, hours=3.1, zone="lumbar") == Allowed()


def test_gas_of_another_device_counts_by_the_share_of_its_own_total() -> None:
    air = with_device("air", gas_s=900.0, session_time_s=1800.0)
    assert used_s([air], protocol=LN2, now=air.ended + HOUR) == pytest.approx(360.0)


def test_a_session_interrupted_for_minutes_goes_on_instead_of_beginning_anew() -> None:
    verdict = judged(past(), hours=0.1)
    assert isinstance(verdict, Warned)
    assert {"resumed", "perfusion"} == rules(verdict)
    assert (
        goes_on_from([past()], protocol=LN2, zone="knee", side="left", now=past().ended + 0.1 * HOUR)
        == past()
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "calf"},
        {"side": "right"},
        {"device": "co2"},
        {"protocol": "ln2-thermal-shock"},
        {"gas_s": 0.0},
    ],
)
def test_only_the_same_treatment_goes_on(changes: dict[str, object]) -> None:
    before = past("a", **changes)
    now = before.ended + 0.1 * HOUR
    assert goes_on_from([before], protocol=LN2, zone="knee", side="left", now=now) is None


def test_a_session_that_goes_on_twice_is_one_treatment() -> None:
    """Two CO2 treatments a day, the first interrupted twice."""
    parts = [
        with_device("co2", str(k), started=NOON + k * timedelta(minutes=5), continues=before)
        for k, before in ((0, None), (1, "0"), (2, "1"))
    ]
    assert rules(judged(*parts, hours=0.1, protocol=CO2), refusing=True) == set()
    assert judged(*parts, hours=9.0, protocol=CO2) == Allowed()


@pytest.mark.parametrize(
    ("tile_time_s", "rule"), [((180.0, 181.0), "refused"), ((180.0, 10.0), "warned"), ((170.0,), None)]
)
def test_a_session_that_had_its_time_does_not_go_on(tile_time_s: tuple[float, ...], rule: str | None) -> None:
    """LN2: 180 s a tile; a zone of two tiles may go on where one has time left."""
    verdict = judged(past(tile_time_s=tile_time_s), hours=0.1)
    assert ("zone_time" in rules(verdict)) == (rule is not None)
    assert isinstance(verdict, Refused) == (rule == "refused")


def test_after_a_stop_the_skin_is_to_be_looked_at_for_a_day() -> None:
    stopped = history_scenes.past()
    verdict = judged(stopped, hours=4.0)
    assert isinstance(verdict, Warned)
    assert "STOP (skin temperature): look at the skin" in verdict.reasons[0].words
    assert judged(stopped, hours=25.0) == Allowed()


def test_going_on_does_not_excuse_what_began_too_soon() -> None:
    first, second = past("a"), past("b", started=NOON + HOUR)
    assert rules(judged(first, second, hours=0.1), refusing=True) == {"interval"}


def test_a_session_at_the_same_time_is_refused_and_told_so() -> None:
    now = NOON + timedelta(seconds=50)
    verdict = may_treat([past()], protocol=LN2, zone="knee", side="left", now=now, skin=WARM)
    assert isinstance(verdict, Refused)
    assert "at the same time" in verdict.reasons[0].words


def test_a_session_that_has_not_come_yet_refuses_until_the_clock_is_right() -> None:
    verdict = may_treat([past()], protocol=LN2, zone="knee", side="left", now=NOON - HOUR, skin=WARM)
    assert isinstance(verdict, Refused)
    assert rules(verdict) == {"clock"}


SESSIONS = st.builds(
    lambda hours, gas_s, zone, device: with_device(
        device, started=NOON - hours * HOUR, gas_s=gas_s, zone=zone
    ),
    st.floats(0.0, 40.0),
    st.floats(0.0, 500.0),
    st.sampled_from(["knee", "calf"]),
    st.sampled_from(["ln2", "co2", "air"]),
)


@given(st.lists(SESSIONS, max_size=5), SESSIONS, st.sampled_from([LN2, CO2, AIR]))
def test_one_more_session_before_never_makes_the_verdict_milder(history, more, protocol) -> None:
    severity = {Allowed: 0, Warned: 1, Refused: 2}

    def verdict(sessions: list[PastSession]) -> int:
        now = NOON + timedelta(minutes=3)
        found = may_treat(sessions, protocol=protocol, zone="knee", side="left", now=now)
        return severity[type(found)]

    named = [replace(session, recording_sha256=str(k)) for k, session in enumerate([*history, more])]
    assert verdict(named) >= verdict(named[:-1])


@given(st.lists(SESSIONS, max_size=5), st.floats(0.0, 40.0), st.floats(0.1, 3.0))
def test_not_knowing_the_skin_is_never_better_than_knowing_it_warm(history, degc, u95_degc) -> None:
    def count(skin: SkinReading | None) -> int:
        found = may_treat(history, protocol=LN2, zone="knee", side="left", now=NOON + HOUR, skin=skin)
        return len(found.reasons)

    warm = SkinReading(28.0 + u95_degc + 0.1 + degc, u95_degc)
    assert count(None) >= count(warm)


def test_every_reason_is_one_sentence_without_a_name() -> None:
    sessions = [past(str(k), started=NOON + k * HOUR, gas_s=300.0) for k in range(3)]
    for skin in (None, COLD, SkinReading(28.5, 1.0)):
        for hours in (0.05, 1.0):
            for reason in judged(*sessions, hours=hours, protocol=CO2, skin=skin).reasons:
                assert reason.words.endswith(".")
                assert "A-017" not in reason.words
