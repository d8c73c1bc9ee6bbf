"""Claims about what is judged from measured facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.alarms.episodes import AlarmBoard, load_alarm_table, update
from guidance.alarms.facts import Facts
from guidance.alarms.judge import conditions
from guidance.session import UNMEASURABLE
from models.catalogue import load_devices, load_protocols

PROTOCOLS, DEVICES = load_protocols(), load_devices()
LN2 = PROTOCOLS["ln2-analgesia"]

FINE = Facts(
    t_s=10.0, gas_now=True, gas_s=0.033, nozzle_seen=True, nozzle_lost_s=0.0, zone_state="placed",
    patient_jump_mm=2.0, offset_mm=1.0, offset_u95_mm=4.0, lag_s=0.0, lag_u95_s=0.06,
    distance_mm=150.0, distance_u95_mm=4.0, incidence_deg=10.0,
    jet_in_zone=True, jet_on_map=True, jet_reason="", jet_speed_cm_s=5.0, static_for_s=0.0, lowest_degc=18.0,
    jet_half_mm=21.0,
    lowest_bound_degc=16.0, incident=False, time_to_limit_s=30.0, time_to_limit_lower_s=20.0,
    jet_spot_unobserved_s=0.0, peak_dwell_s=3.0, peak_dwell_upper_s=4.0, peak_below_10_s=0.0,
    peak_below_4_s=0.0, peak_below_2_s=0.0, tile_time_s=20.0, session_time_s=20.0,
    thermal_expected=True, thermal_age_s=0.1, thermal_stuck=False, shutter=False, colour_age_s=0.0,
    rig_present=True, calibration_age_days=1.0,
)  # fmt: skip


def judged(protocol: str = "ln2-analgesia", /, **changes: object) -> set[tuple[str, str]]:
    rules = PROTOCOLS[protocol]
    facts = replace(FINE, **changes)  # type: ignore[arg-type]
    told = conditions(facts, protocol=rules, device=DEVICES[rules.device])
    assert all(condition.holds for condition in told)
    return {(condition.cause, condition.priority) for condition in told}


def test_a_treatment_that_goes_well_says_nothing() -> None:
    assert judged() == set()


@pytest.mark.parametrize("gas", [True, False])
def test_the_estimate_less_its_bound_is_compared_with_the_limits(gas: bool) -> None:
    assert judged(gas_now=gas, lowest_bound_degc=2.0) == {
        ("skin_temperature", "high"),
        ("skin_temperature", "medium"),
    }
    assert judged(gas_now=gas, lowest_bound_degc=2.1) == {("skin_temperature", "medium")}
    assert judged(gas_now=gas, lowest_bound_degc=4.1) == set()


def test_the_advisory_is_about_the_best_estimate() -> None:
    assert judged(lowest_degc=5.9) == {("skin_temperature", "low")}
    assert judged(lowest_degc=6.0) == set()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_advisory_within_the_target_band(protocol: str) -> None:
    band = PROTOCOLS[protocol]
    distance = band.distance.nominal_mm
    assert judged(protocol, lowest_degc=band.target_low_degc, distance_mm=distance, tile_time_s=0.0) == set()


def test_the_face_stops_earlier() -> None:
    told = judged("ln2-gentle-face", distance_mm=200.0, lowest_bound_degc=5.0, lowest_degc=12.0)
    assert ("skin_temperature", "high") in told


def test_freezing_is_an_incident_of_its_own() -> None:
    assert ("skin_freezing", "high") in judged(incident=True)


def test_a_slow_nozzle_is_stopped_before_the_skin_reaches_its_limit() -> None:
    slow = {"jet_speed_cm_s": 0.5}
    stop, warn = ("predicted_skin_temperature", "high"), ("predicted_skin_temperature", "medium")
    assert judged(time_to_limit_s=3.0, time_to_limit_lower_s=2.4, **slow) == {stop, warn}
    assert judged(time_to_limit_s=6.0, time_to_limit_lower_s=4.9, **slow) == {warn}
    assert judged(time_to_limit_s=6.0, time_to_limit_lower_s=5.1, **slow) == set()


def test_a_sweep_stops_where_the_skin_is_at_its_limit_within_the_pass() -> None:
    """At 5 cm/s a spot of 21 mm half radius has moved on after 0.42 s."""
    sweep = {"jet_speed_cm_s": 5.0, "jet_half_mm": 21.0, "time_to_limit_lower_s": 0.1}
    assert judged(time_to_limit_s=0.40, **sweep) == {("predicted_skin_temperature", "high")}
    assert judged(time_to_limit_s=0.45, **sweep) == set()
    assert judged(time_to_limit_s=None, **sweep) == set()


def test_an_unknown_speed_counts_as_slow_and_a_sweep_does_not() -> None:
    near = {"time_to_limit_s": 1.0, "time_to_limit_lower_s": 0.5}
    assert ("predicted_skin_temperature", "high") in judged(jet_speed_cm_s=None, **near)
    assert judged(jet_speed_cm_s=3.0, **near) == set()


def test_a_wide_bound_alone_warns_but_does_not_stop() -> None:
    told = judged(jet_speed_cm_s=0.0, time_to_limit_s=20.0, time_to_limit_lower_s=1.0)
    assert told == {("predicted_skin_temperature", "medium")}


def test_a_forecast_without_a_bound_is_taken_as_it_is() -> None:
    told = judged(jet_speed_cm_s=0.0, time_to_limit_s=2.0, time_to_limit_lower_s=None)
    assert ("predicted_skin_temperature", "high") in told


def test_nothing_is_forecast_without_gas() -> None:
    assert judged(gas_now=False, jet_speed_cm_s=0.0, time_to_limit_s=1.0, time_to_limit_lower_s=0.5) == set()


@pytest.mark.parametrize(
    ("distance_mm", "told"),
    [
        (150.0, set[str]()),
        (110.0, {"low"}),
        (99.0, {"low", "medium"}),
        (74.5, {"low", "medium"}),
        (73.9, {"low", "medium", "high"}),  # 70 mm, less than its bound of 4 mm away
        (190.0, {"low"}),
        (251.0, {"low", "medium"}),
    ],
)
def test_the_distance_band_has_an_advisory_a_warning_and_a_stop(distance_mm: float, told: set[str]) -> None:
    assert judged(distance_mm=distance_mm) == {("distance", priority) for priority in told}
    assert judged(distance_mm=distance_mm, gas_now=False) == set()


def test_a_wide_bound_does_not_make_every_distance_a_stop() -> None:
    assert ("distance", "high") not in judged(distance_mm=95.0, distance_u95_mm=40.0)
    assert ("distance", "high") in judged(distance_mm=69.0, distance_u95_mm=40.0)
    assert ("distance", "high") in judged(distance_mm=84.0, distance_u95_mm=15.0)


@pytest.mark.parametrize("distance_mm", [60.0, 80.0, 84.0, 90.0])
def test_a_wider_bound_never_takes_a_stop_back(distance_mm: float) -> None:
    stops = [
        ("distance", "high") in judged(distance_mm=distance_mm, distance_u95_mm=u95_mm)
        for u95_mm in (0.0, 5.0, 14.0, 16.0, 29.0, 60.0, None)
    ]
    assert stops == sorted(stops)


def test_chilled_air_may_be_as_far_away_as_it_likes() -> None:
    assert ("distance", "medium") not in judged("air-analgesia", distance_mm=500.0)


def test_contact_counts_with_and_without_gas() -> None:
    for gas in (True, False):
        assert ("contact", "high") in judged(distance_mm=10.0, gas_now=gas)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"static_for_s": 2.0}, "static_nozzle"),
        ({"peak_dwell_s": 15.1, "peak_dwell_upper_s": 15.1}, "dwell"),
        ({"peak_below_10_s": 181.0}, "cold_time"),
        ({"peak_below_4_s": 61.0}, "cold_time"),
        ({"peak_below_2_s": 0.6}, "cold_time"),
        ({"tile_time_s": 150.0}, "zone_time"),
        ({"session_time_s": 576.0}, "session_time"),
    ],
)
def test_an_exposure_is_warned_of_while_gas_flows(changes: dict[str, float], cause: str) -> None:
    assert judged(**changes) == {(cause, "medium")}
    assert judged(**changes, gas_now=False) == set()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"static_for_s": 4.0}, "static_nozzle"),
        ({"peak_dwell_s": 30.0}, "dwell"),
        ({"peak_below_10_s": 600.0}, "cold_time"),
        ({"peak_below_4_s": 120.0}, "cold_time"),
        ({"peak_below_2_s": 3.0}, "cold_time"),
        ({"tile_time_s": 180.0}, "zone_time"),
        ({"session_time_s": 720.0}, "session_time"),
    ],
)
def test_an_exposure_at_its_limit_stops_and_its_warning_goes_on(
    changes: dict[str, float], cause: str
) -> None:
    assert judged(**changes) == {(cause, "high"), (cause, "medium")}


def test_dwell_that_may_have_come_unseen_warns() -> None:
    assert judged(peak_dwell_s=5.0, peak_dwell_upper_s=31.0) == {("dwell", "medium")}
    assert judged(peak_dwell_s=5.0, peak_dwell_upper_s=29.0) == set()


def test_a_zone_of_which_no_place_is_known_to_be_spared_is_not_sent_elsewhere() -> None:
    """As after a crash with gas on, or as long as the rig shows no distance."""
    anywhere = {"peak_dwell_upper_s": 45.0, "zone_dwell_upper_s": 45.0}
    for counted_s in (0.0, 20.0):  # much was counted at one spot: elsewhere is no better
        assert judged(peak_dwell_s=counted_s, **anywhere) == {("dwell_unknown", "medium")}
    assert judged(peak_dwell_s=5.0, peak_dwell_upper_s=45.0, zone_dwell_upper_s=29.0) == {("dwell", "medium")}
    # What was counted stops all the same, and without gas there is nothing to stop.
    assert ("dwell", "high") in judged(peak_dwell_s=30.0, **anywhere)
    assert judged(gas_now=False, **anywhere) == set()


@pytest.mark.parametrize("changes", [{"jet_in_zone": False}, {"jet_in_zone": None, "jet_on_map": False}])
def test_gas_beside_the_zone_is_never_a_stop(changes: dict[str, bool | None]) -> None:
    assert judged(**changes) == {("off_zone", "low"), ("off_zone", "medium")}
    assert judged(**changes, gas_now=False) == set()


def test_passing_the_rim_while_sweeping_is_no_alarm() -> None:
    """0.8 s off and 0.4 s on in turns, as a raster does; then off for good."""
    board, told = AlarmBoard.start(), list[tuple[float, str]]()
    for k in range(600):
        t_s = k / 30
        off = t_s % 1.2 < 0.8 or t_s > 15
        facts = replace(FINE, t_s=t_s, jet_in_zone=not off)
        held = conditions(facts, protocol=LN2, device=DEVICES[LN2.device])
        board, active, _ = update(board, held, t_s=t_s)
        told += [(alarm.t_on_s, alarm.priority) for alarm in active if alarm.t_on_s == t_s]
    assert [priority for _, priority in told] == ["low", "medium"]
    assert told[0][0] == pytest.approx(16.0, abs=0.7)
    assert told[1][0] == pytest.approx(18.0, abs=0.7)


def test_a_slanting_jet_is_told() -> None:
    assert judged(incidence_deg=46.0) == {("incidence", "low")}


def test_a_lost_nozzle_is_an_alarm_while_gas_flows() -> None:
    lost = {
        "nozzle_seen": False,
        "distance_mm": None,
        "distance_u95_mm": None,
        "jet_in_zone": None,
        "jet_on_map": None,
    }
    assert judged(nozzle_lost_s=0.4, **lost) == {("nozzle_lost", "high")}
    assert judged(nozzle_lost_s=0.2, **lost) == set()
    assert judged(nozzle_lost_s=9.0, **lost, gas_now=False) == set()


@pytest.mark.parametrize("state", ["lost", "none"])
def test_gas_without_a_zone_is_an_alarm(state: str) -> None:
    assert ("zone_lost", "high") in judged(zone_state=state)


def test_a_lost_zone_is_told_before_gas_flows_and_one_not_yet_placed_is_not() -> None:
    assert judged(zone_state="lost", gas_now=False) == {("zone_lost", "medium")}
    assert judged(zone_state="none", gas_now=False) == set()
    assert judged(zone_state="held") == set()


def test_an_unknown_distance_is_told_while_gas_flows() -> None:
    unknown = {"distance_mm": None, "distance_u95_mm": None, "jet_in_zone": None, "jet_on_map": None}
    assert judged(**unknown) == {("distance_unknown", "medium")}
    # What no aiming can change has words of its own.
    assert judged(**unknown, jet_reason=UNMEASURABLE) == {("distance_unmeasurable", "medium")}
    assert judged(**unknown, jet_reason=UNMEASURABLE, gas_now=False) == set()
    assert judged(distance_u95_mm=45.0) == {("distance_unknown", "low")}


def test_a_jet_that_misses_the_body_is_off_zone_and_not_unknown() -> None:
    missed = {"distance_mm": None, "distance_u95_mm": None, "jet_in_zone": False, "jet_on_map": False}
    assert judged(**missed) == {("off_zone", "low"), ("off_zone", "medium")}


def test_a_jet_on_skin_whose_temperature_is_not_seen_is_told() -> None:
    assert judged(jet_spot_unobserved_s=0.6) == {("temperature_unobserved", "medium")}
    assert judged(jet_spot_unobserved_s=0.6, gas_now=False) == set()


def test_an_old_thermal_picture_is_stale_and_then_missing() -> None:
    assert judged(thermal_age_s=0.5) == set()
    assert judged(thermal_age_s=0.6) == {("thermal_stale", "medium")}
    assert judged(thermal_age_s=0.9) == {("thermal_stale", "medium"), ("thermal_missing", "medium")}
    assert judged(thermal_age_s=0.9, gas_now=False) == judged(thermal_age_s=0.9)


def test_a_shutter_event_of_up_to_a_second_is_no_alarm() -> None:
    assert judged(shutter=True, thermal_age_s=1.0, thermal_stuck=True) == set()
    assert judged(shutter=True, thermal_age_s=1.3, jet_spot_unobserved_s=1.3) == set()
    assert ("thermal_stale", "medium") in judged(shutter=True, thermal_age_s=1.4)
    assert ("temperature_unobserved", "medium") in judged(shutter=True, jet_spot_unobserved_s=1.4)


def test_a_thermal_camera_that_never_sends_is_missing() -> None:
    assert judged(thermal_age_s=None) == {("thermal_missing", "medium")}
    assert judged(thermal_age_s=None, t_s=0.1) == set()


def test_a_session_without_a_thermal_camera_says_so_once() -> None:
    without = {"thermal_expected": False, "thermal_age_s": None, "jet_spot_unobserved_s": 9.0}
    assert judged(**without) == {("thermal_missing", "low")}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"thermal_stuck": True}, ("thermal_stuck", "medium")),
        ({"colour_age_s": 0.31}, ("colour_gap", "medium")),
        ({"patient_jump_mm": 30.0}, ("patient_moved", "medium")),
        ({"offset_mm": 12.0}, ("rig_mismatch", "medium")),
        ({"lag_s": 0.15}, ("rig_mismatch", "medium")),
        ({"lag_s": -0.15}, ("rig_mismatch", "medium")),
        ({"calibration_age_days": 31.0}, ("calibration_old", "medium")),
        ({"calibration_age_days": None}, ("calibration_old", "low")),
        ({"calibration_lapsed": "thermal, tip"}, ("calibration_lapsed", "medium")),
    ],
)
def test_technical_trouble_has_its_own_alarm(changes: dict[str, object], told: tuple[str, str]) -> None:
    assert judged(**changes) == {told}
    assert judged(**changes, gas_now=False) == {told}


@pytest.mark.parametrize(
    "changes",
    [
        {"offset_mm": 9.9, "offset_u95_mm": 1.0},
        {"offset_mm": 40.0, "offset_u95_mm": 36.0},
        {"lag_s": 0.15, "lag_u95_s": 0.14},
        {"lag_s": -0.079, "lag_u95_s": 0.01},
        {"offset_mm": None, "offset_u95_mm": None, "lag_s": None, "lag_u95_s": None},
    ],
)
def test_a_rig_is_not_blamed_within_bounds_or_without_evidence(changes: dict[str, object]) -> None:
    assert judged(**changes) == set()


def test_the_operator_is_told_what_disagrees() -> None:
    facts = replace(FINE, offset_mm=17.2, offset_u95_mm=5.0, lag_s=-0.15, lag_u95_s=0.06)
    told = conditions(facts, protocol=LN2, device=DEVICES[LN2.device])
    assert [condition.detail for condition in told] == [
        "the skin cools 17 +- 5 mm beside the jet, thermal times are 150 +- 60 ms early"
    ]


def test_a_session_without_colour_has_no_colour_gap() -> None:
    assert judged(colour_age_s=None) == set()


def test_without_a_rig_that_is_said_once_instead_of_a_lost_nozzle() -> None:
    nothing = {"nozzle_seen": False, "nozzle_lost_s": 9.0, "distance_mm": None, "distance_u95_mm": None}
    told = judged(**nothing, rig_present=False, calibration_age_days=None, jet_in_zone=None, jet_on_map=None)
    assert told == {("rig_missing", "medium")}


def test_whatever_is_judged_has_its_row_in_the_table() -> None:
    table = load_alarm_table()
    worst = [
        {
            "incident": True,
            "lowest_bound_degc": -1.0,
            "lowest_degc": 0.0,
            "distance_mm": 5.0,
            "incidence_deg": 80.0,
        },
        {"jet_speed_cm_s": 0.0, "time_to_limit_s": 0.0, "time_to_limit_lower_s": 0.0, "static_for_s": 99.0},
        {"peak_dwell_upper_s": 999.0, "zone_dwell_upper_s": 999.0},
        {"peak_dwell_s": 999.0, "peak_below_2_s": 99.0, "tile_time_s": 9e3, "session_time_s": 9e3},
        {"nozzle_seen": False, "nozzle_lost_s": 1.0, "jet_in_zone": False, "zone_state": "lost"},
        {
            "zone_state": "lost",
            "gas_now": False,
            "thermal_age_s": 3.0,
            "thermal_stuck": True,
            "colour_age_s": 1.0,
        },
        {"distance_mm": None, "patient_jump_mm": 40.0, "offset_mm": 40.0, "calibration_age_days": 99.0},
        {"distance_u95_mm": 99.0, "calibration_age_days": None, "thermal_expected": False},
        {"jet_spot_unobserved_s": 2.0, "rig_present": True, "calibration_lapsed": "tip"},
        {"rig_present": False},
        {"distance_mm": None, "jet_reason": UNMEASURABLE},
    ]
    judged_ever: set[tuple[str, str]] = set().union(*(judged(**changes) for changes in worst))
    assert judged_ever == set(table)


def test_messages_carry_the_figure_and_its_unit() -> None:
    facts = replace(FINE, lowest_bound_degc=1.4, lowest_degc=3.4, static_for_s=4.2, distance_mm=60.0)
    held = conditions(facts, protocol=LN2, device=DEVICES[LN2.device])
    _, active, _ = update(AlarmBoard.start(), held, t_s=facts.t_s)
    text = "\n".join(alarm.message for alarm in active)
    assert "1.4 degC" in text
    assert "4.2 s" in text
    assert "60 +- 4 mm" in text
    assert "{" not in text
