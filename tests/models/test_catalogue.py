"""Claims about the catalogue: complete, sourced, ordered, and refused as a whole where anything is wrong."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from models.catalogue import find, limits_in_zone, load_devices, load_protocols, load_zones
from models.problems import InputError
from models.protocol import Rule
from models.zone import Zone

# Usual areas of adults, cm2 (expert knowledge): the catalogue's sizes are chosen to lie in them.
AREAS_CM2 = {
    "knee": (150, 200), "shoulder": (150, 200), "elbow": (50, 80), "wrist": (50, 80), "hand": (80, 120),
    "hip": (150, 200), "ankle": (80, 120), "foot": (100, 140), "achilles": (40, 60), "calf": (200, 250),
    "hamstring": (250, 350), "quadriceps": (300, 400), "buttock": (300, 400), "lumbar": (250, 350),
    "upper-back": (250, 350), "neck": (80, 120), "abdomen": (300, 500), "thigh-cellulite": (400, 600),
    "forehead": (55, 65), "cheek": (36, 44), "chin": (36, 44), "temple": (20, 40),
}  # fmt: skip
LEFT_OR_RIGHT = tuple(AREAS_CM2)[:13]

PROTOCOLS = (
    "ln2-analgesia",
    "ln2-thermal-shock",
    "ln2-gentle-face",
    "co2-analgesia",
    "co2-thermal-shock",
    "air-analgesia",
    "air-gentle-face",
)


def data_text(name: str) -> str:
    return resources.files("models").joinpath("data", name).read_text("utf-8")


def edited(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = data_text(name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def area_cm2(zone: Zone) -> float:
    return zone.width_mm * zone.length_mm / 100.0 * (math.pi / 4 if zone.shape == "ellipse" else 1.0)


def test_every_named_zone_is_there_and_no_other() -> None:
    assert set(load_zones()) == set(AREAS_CM2)


@pytest.mark.parametrize("name", AREAS_CM2)
def test_a_zone_has_the_usual_area(name: str) -> None:
    low, high = AREAS_CM2[name]
    assert low <= area_cm2(load_zones()[name]) <= high


def test_limb_zones_are_one_sided_and_the_others_may_be_whole() -> None:
    zones = load_zones()
    for name, zone in zones.items():
        assert zone.sides == (("left", "right") if name in LEFT_OR_RIGHT else ("left", "right", "both"))


def test_a_limb_zone_leaves_the_far_side_of_the_limb_out() -> None:
    for zone in load_zones().values():
        if zone.surface == "limb":
            assert zone.width_mm < 2.8 * zone.radius_mm  # well under the circumference of 6.28 radii


def test_superficial_nerves_eyes_and_the_front_of_the_neck_are_left_out() -> None:
    zones = load_zones()

    def names(zone: str) -> str:
        return "; ".join(area.name for area in zones[zone].leave_out)

    assert "fibular head" in names("knee")
    assert "fibular head" in names("calf")
    assert "ulnar groove" in names("elbow")
    assert "front of the neck" in names("neck")
    assert "navel" in names("abdomen")
    for face in ("forehead", "cheek", "temple"):
        assert "eye" in names(face)


def test_the_fibular_head_lies_on_the_outer_side_of_the_left_leg() -> None:
    zones = load_zones()
    for name in ("knee", "calf"):
        (head,) = (area for area in zones[name].leave_out if "fibular" in area.name)
        assert head.u_mm > 0  # u runs towards the subject's left


def test_only_face_zones_lie_on_the_face() -> None:
    assert {z.name for z in load_zones().values() if z.face} == {"forehead", "cheek", "chin", "temple"}


def test_every_protocol_names_a_known_device_and_is_not_approved() -> None:
    protocols, devices = load_protocols(), load_devices()
    assert tuple(protocols) == PROTOCOLS
    for protocol in protocols.values():
        assert protocol.device in devices
        assert protocol.approved_by is None


@pytest.mark.parametrize(
    ("name", "band", "ladder"),
    [
        ("ln2-analgesia", (8, 12), (6, 4, 2)),
        ("co2-analgesia", (8, 12), (6, 4, 2)),
        ("air-analgesia", (8, 12), (6, 4, 2)),
        ("ln2-thermal-shock", (4, 8), (4, 3, 2)),
        ("co2-thermal-shock", (4, 8), (4, 3, 2)),
        ("ln2-gentle-face", (10, 13.6), (9, 8, 5)),
        ("air-gentle-face", (10, 13.6), (9, 8, 5)),
    ],
)
def test_temperatures_are_the_recommended_ones(
    name: str, band: tuple[float, float], ladder: tuple[float, float, float]
) -> None:
    protocol = load_protocols()[name]
    assert (protocol.target_low_degc, protocol.target_high_degc) == band
    assert (protocol.advisory_degc, protocol.skin_degc.warn, protocol.skin_degc.stop) == ladder


@pytest.mark.parametrize(
    ("prefix", "static", "dwell", "zone", "session", "pictures"),
    [
        ("ln2", (2, 4), (15, 30), 180, 720, 2),
        ("co2", (1, 2), (4, 8), 120, 480, 1),
        ("air", (10, 20), (60, 120), 600, 1800, 2),
    ],
)
def test_times_on_the_body_are_the_recommended_ones(
    prefix: str,
    static: tuple[float, float],
    dwell: tuple[float, float],
    zone: float,
    session: float,
    pictures: int,
) -> None:
    for name, protocol in load_protocols().items():
        if name.startswith(prefix) and not name.endswith("face"):
            assert (protocol.static_s.warn, protocol.static_s.stop) == static
            assert (protocol.dwell_s.warn, protocol.dwell_s.stop) == dwell
            assert (protocol.zone_time_s.stop, protocol.session_time_s) == (zone, session)
            assert protocol.confirm_pictures == pictures


def test_no_limit_on_the_face_is_looser_than_on_the_body() -> None:
    protocols = load_protocols()
    for device in ("ln2", "air"):
        body, face = protocols[f"{device}-analgesia"], protocols[f"{device}-gentle-face"]
        assert face.skin_degc.stop > body.skin_degc.stop
        assert face.zone_time_s.stop < body.zone_time_s.stop
        assert face.session_time_s < body.session_time_s
        assert face.distance.stop_low_mm > body.distance.stop_low_mm


def test_every_figure_names_its_source_and_confidence() -> None:
    wanted = {
        "target_degc", "advisory_degc", "skin_degc", "predicted_s", "confirm_pictures", "distance",
        "zone_time_s", "session_time_s", "static_speed_cm_s", "static_s", "dwell_s",
        "below_10_s", "below_4_s", "below_2_s",
        "incidence_warn_deg", "sweep_cm_s", "zone_interval_s", "rewarmed_degc", "resume_within_s",
        "perfusion_low_s",
    }  # fmt: skip
    for protocol in load_protocols().values():
        assert set(protocol.evidence) - {"sessions_a_day"} == wanted
        assert ("sessions_a_day" in protocol.evidence) == (protocol.again.a_day is not None)
    for entry in (*load_protocols().values(), *load_devices().values()):
        for evidence in entry.evidence.values():
            assert evidence.source
            assert evidence.confidence in ("high", "medium", "low")


@pytest.mark.parametrize(("prefix", "hours", "a_day"), [("ln2", 3, None), ("co2", 8, 2), ("air", 3, 3)])
def test_a_zone_rests_as_long_as_recommended(prefix: str, hours: float, a_day: int | None) -> None:
    for name, protocol in load_protocols().items():
        if name.startswith(prefix):
            assert protocol.again.interval_s == Rule(hours * 3600.0, refuses=True)
            assert (protocol.again.a_day.value if protocol.again.a_day else None) == a_day
            assert protocol.again.rewarmed_degc.value == 28.0


def test_a_protocol_is_named_after_what_it_is_for() -> None:
    for name, protocol in load_protocols().items():
        assert name.endswith(protocol.mode.replace(" ", "-"))


def test_a_small_joint_tightens_the_time_and_a_large_zone_keeps_it() -> None:
    zones, protocol = load_zones(), load_protocols()["ln2-analgesia"]
    assert limits_in_zone(protocol, zones["elbow"]).zone_time_s.stop == 90
    assert limits_in_zone(protocol, zones["knee"]) == protocol


def test_no_zone_loosens_any_protocol() -> None:
    for zone in load_zones().values():
        for protocol in load_protocols().values():
            limits = limits_in_zone(protocol, zone).zone_time_s
            assert limits.warn <= protocol.zone_time_s.warn
            assert limits.warn < limits.stop <= protocol.zone_time_s.stop


def test_an_approved_protocol_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = edited(
        tmp_path, "protocols.toml", ("[ln2-analgesia]", '[ln2-analgesia]\napproved_by = "Dr. N., 2026-11-23"')
    )
    assert load_protocols(path)["ln2-analgesia"].approved_by == "Dr. N., 2026-11-23"


def test_an_approval_that_names_the_figures_holds_for_these_figures_only(tmp_path: Path) -> None:
    seal = load_protocols()["ln2-analgesia"].fingerprint[:12]
    signed = ("[ln2-analgesia]", f'[ln2-analgesia]\napproved_by = "Dr. N."\napproved_figures = "{seal}"')
    assert load_protocols(edited(tmp_path, "protocols.toml", signed))["ln2-analgesia"].approved_by == "Dr. N."
    changed = edited(tmp_path, "protocols.toml", signed, ("stop = 180.0", "stop = 240.0"))
    with pytest.raises(InputError, match=r"changed after the approval, so have them approved again"):
        load_protocols(changed)


def test_a_seal_without_an_approval_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, "protocols.toml", ("[co2-analgesia]", '[co2-analgesia]\napproved_figures = "1"'))
    with pytest.raises(InputError, match="nobody approved: add approved_by"):
        load_protocols(path)


def test_who_approves_changes_no_figure_and_a_figure_changes_the_fingerprint() -> None:
    protocol = load_protocols()["ln2-analgesia"]
    assert replace(protocol, approved_by="Dr. N.").fingerprint == protocol.fingerprint
    assert replace(protocol, session_time_s=700.0).fingerprint != protocol.fingerprint


ELBOW = """
[ln2-analgesia.in_zone.elbow]
zone_time_s = { warn = 30.0, stop = 200.0, source = "ours", confidence = "low" }
zone_interval_s = { value = 86400, source = "ours", confidence = "low" }
"""


def test_figures_of_one_zone_tighten_it_and_no_other(tmp_path: Path) -> None:
    path = edited(tmp_path, "protocols.toml", ("[ln2-thermal-shock]", f"{ELBOW}\n[ln2-thermal-shock]"))
    protocol, zones = load_protocols(path)["ln2-analgesia"], load_zones()
    elbow = limits_in_zone(protocol, zones["elbow"])
    assert (elbow.zone_time_s.warn, elbow.zone_time_s.stop) == (30.0, 90.0)  # 200 would loosen it
    assert elbow.again.interval_s.value == 86400.0
    assert elbow.evidence["zone_interval_s"].source == "ours"
    assert limits_in_zone(protocol, zones["knee"]).again.interval_s.value == 10800.0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('then = "refuse"', 'then = "shrug"', r"then is 'shrug'; use one of refuse, warn"),
        ("value = 10800.0", "value = 30.0", r"zone_interval_s\] value must be a number from 600"),
        ("value = 600.0", "value = -1", r"resume_within_s\] value must be a number from 0"),
        ("{ value = 28.0", "{ value = 37.0", r"rewarmed_degc\] value must be a number from 20 to 34"),
        ("low = 3.0, high = 10.0", "low = 0.5, high = 10.0", "sweep_cm_s must lie above static_speed_cm_s"),
        ("low = 3.0, high = 10.0", "low = 12.0, high = 10.0", "sweep_cm_s must have low below high"),
        (
            "session_time_s = { value = 720.0",
            "session_time_s = { value = 170.0",
            "stops later than the whole",
        ),
        ('mode = "analgesia"', 'mode = "thermal shock"', "for thermal shock must lie from 2 to 10 degC"),
        ('mode = "analgesia"', 'mode = "numbness"', "use one of analgesia, thermal shock, gentle face"),
        ("[co2-analgesia]", f"{ELBOW.replace('elbow', 'elbo')}\n[co2-analgesia]", "elbo is no zone"),
    ],
)
def test_a_figure_that_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_protocols(edited(tmp_path, "protocols.toml", (old, new)))


def test_a_check_may_tell_every_mistake_of_a_file(tmp_path: Path) -> None:
    text = data_text("protocols.toml").replace('confidence = "low"', 'confidence = "lo"')
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as told:
        load_protocols(path, most=1000)
    assert str(told.value).count("confidence is 'lo'") == text.count('confidence = "lo"') > 12
    with pytest.raises(InputError, match=r"and \d+ more\. Correct the file"):
        load_protocols(path)


def test_a_warning_after_its_stop_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, "protocols.toml", ("skin_degc = { warn = 4.0", "skin_degc = { warn = 1.0"))
    with pytest.raises(
        InputError, match=r"\[ln2-analgesia\] skin_degc warns at 1 and stops at 2: warn must lie above"
    ):
        load_protocols(path)


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, "protocols.toml", ("dwell_s =", "dwel_s ="))
    with pytest.raises(
        InputError,
        match=r"\[ln2-analgesia\] dwell_s is missing; .* dwel_s is not a known key \(did you mean dwell_s",
    ):
        load_protocols(path)


def test_a_figure_without_a_source_is_refused(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        "devices.toml",
        (', source = "Mourot 2007 (75 bar, CO2 micro-crystals)", confidence = "high"', ""),
    )
    with pytest.raises(
        InputError, match=r"\[co2.outlet_degc\] source is missing; \[co2.outlet_degc\] confidence is missing"
    ):
        load_devices(path)


def test_a_stop_at_the_freezing_point_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, "protocols.toml", ("warn = 4.0, stop = 2.0", "warn = 4.0, stop = 0.0"))
    with pytest.raises(InputError, match=r"skin_degc\] stop must be a number from 0.1 to 30, not 0"):
        load_protocols(path)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        "zones.toml",
        ("width_mm = 140.0", "width_mm = -140"),
        ('surface = "limb"', 'surface = "leg"'),
        ("left_knee = 1", "left_kneee = 0.5"),
    )
    with pytest.raises(InputError) as told:
        load_zones(path)
    sentence = str(told.value)
    assert "zones.toml has 4 mistakes" in sentence
    for part in (
        "[knee] width_mm must be a number from 20 to 600, not -140",
        "surface is 'leg'; use one of limb",
        "no landmark",
        "0.5 instead of 1",
    ):
        assert part in sentence
    assert "\n" not in sentence


def test_a_distance_band_out_of_order_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, "protocols.toml", ("warn_low = 100.0", "warn_low = 60.0"))
    with pytest.raises(InputError, match="distance_mm must rise"):
        load_protocols(path)


def test_half_a_picture_cannot_confirm(tmp_path: Path) -> None:
    path = edited(
        tmp_path, "protocols.toml", ("confirm_pictures = { value = 2", "confirm_pictures = { value = 1.5")
    )
    with pytest.raises(InputError, match=r"must be a whole number, not 1\.5"):
        load_protocols(path)


@pytest.mark.parametrize("value", ["nan", "inf", "true", '"4"'])
def test_only_finite_numbers_are_numbers(tmp_path: Path, value: str) -> None:
    path = edited(
        tmp_path,
        "protocols.toml",
        ("session_time_s = { value = 720.0", f"session_time_s = {{ value = {value}"),
    )
    with pytest.raises(InputError, match=r"session_time_s\] value must be a number"):
        load_protocols(path)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[ln2", "utf-8")
    with pytest.raises(InputError, match="is not valid TOML"):
        load_protocols(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name a readable TOML file"):
        load_protocols(tmp_path / "none.toml")


def test_an_unknown_zone_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(
        InputError, match=r"There is no zone 'lumber': did you mean 'lumbar'\?.*knee, shoulder"
    ):
        find(load_zones(), "lumber", what="zone")
