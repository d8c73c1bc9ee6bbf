"""The header of a session is read exactly, and what is wrong in it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue import load_devices, load_protocols, load_zones
from models.problems import InputError
from models.treatment_file import ANY_SIDED_ZONES, DEVICES, ONE_SIDED_ZONES, PROTOCOL_DEVICE, read_treatment

TEXT = """schema = "cryoguide.session/1"
started = 2026-11-23T10:00:00Z
zone = "lumbar"
side = "both"
device = "ln2-wand"
protocol = "ln2-analgesia"
subject = "A-017"
subject_height_mm = 1754
room_degc = 23
"""


def test_every_key_of_the_format_is_read() -> None:
    more = """[streams]
rgb = "rgb.mp4"
thermal = "thermal.mkv"
[[valve]]
from_s = 1
to_s = 16.0
[[valve]]
from_s = 16.0
to_s = 17
[[tap]]
t_s = 0
outline_px = [[512, 300], [700, 310], [690, 470.5]]
[[tap]]
t_s = 2.5
stream = "thermal"
outline_px = [[5, 3], [7, 3], [6, 4], [5, 4]]
[[reference]]
outline_px = [[5, 3], [25, 3], [16, 24]]
degc = 30
u95_degc = 0.2
[[reference]]
stream = "rgb"
outline_px = [[5, 3], [25, 3], [16, 24]]
distance_mm = 900
degc = 4.5
u95_degc = 0.3
emissivity = 0.95
"""
    header = read_treatment(TEXT + more, where="session.toml")
    treatment = header.treatment
    assert header.warnings == ()
    assert (treatment.zone, treatment.side, treatment.device) == ("lumbar", "both", "ln2-wand")
    assert (treatment.protocol, treatment.subject) == ("ln2-analgesia", "A-017")
    assert (treatment.subject_height_mm, treatment.room_degc) == (1754.0, 23.0)
    assert treatment.started.isoformat() == "2026-11-23T10:00:00+00:00"
    assert treatment.valve_s == ((1.0, 16.0), (16.0, 17.0))
    assert [tap.stream for tap in treatment.taps] == ["rgb", "thermal"]
    assert [r.stream for r in treatment.references] == ["thermal", "rgb"]
    assert [(r.degc, r.u95_degc) for r in treatment.references] == [(30.0, 0.2), (4.5, 0.3)]
    assert [(r.emissivity, r.distance_mm) for r in treatment.references] == [(0.98, None), (0.95, 900.0)]
    assert treatment.references[0].outline_px.tolist() == [[5, 3], [25, 3], [16, 24]]
    assert treatment.taps[0].outline_px.tolist() == [[512, 300], [700, 310], [690, 470.5]]
    assert header.streams is not None
    assert (header.streams.rgb, header.streams.thermal, header.streams.depth) == (
        "rgb.mp4",
        "thermal.mkv",
        None,
    )


def test_no_valve_means_not_known_and_an_empty_one_means_no_gas() -> None:
    assert read_treatment(TEXT, where="x").treatment.valve_s is None
    assert read_treatment(TEXT + "valve = []\n", where="x").treatment.valve_s == ()


def test_names_are_those_of_the_catalogue() -> None:
    zones = load_zones()
    assert set(zones) == {*ONE_SIDED_ZONES, *ANY_SIDED_ZONES}
    assert {name for name, zone in zones.items() if "both" not in zone.sides} == set(ONE_SIDED_ZONES)
    assert {name: protocol.device for name, protocol in load_protocols().items()} == PROTOCOL_DEVICE
    assert set(load_devices()) == set(DEVICES)


WRONG = {
    "unknown zone": ('"lumbar"', '"lumber"', "zone is 'lumber'; use one of"),
    "unknown device": ('"ln2-wand"', '"ice"', "device is 'ice'"),
    "zone missing": ('zone = "lumbar"\n', "", "zone is missing"),
    "a giant": ("1754", "17540", "subject_height_mm must be a number from 500 to 2800, not 17540"),
    "started is a text": ("2026-11-23T10:00:00Z", '"noon"', "started must be a date with time"),
    "started without time": ("2026-11-23T10:00:00Z", "2026-11-23", "started must be a date with time"),
    "empty subject": ('"A-017"', '""', "subject must be a text"),
    "valves overlap": (
        "room_degc = 23\n", "[[valve]]\nfrom_s = 0\nto_s = 5\n[[valve]]\nfrom_s = 4\nto_s = 6\n",
        r"\[valve 2\] from_s is 4, before the interval above ends",
    ),
    "valve without end": ("room_degc = 23\n", "[[valve]]\nfrom_s = 0\n", r"\[valve 1\] to_s is missing"),
    "valve nan": ("room_degc = 23\n", "[[valve]]\nfrom_s = nan\nto_s = 3\n", "from_s must be a number"),
    "valve is a table": ("room_degc = 23\n", "[valve]\nfrom_s = 0\nto_s = 3\n", "must be a list of tables"),
    "tap in another stream": (
        "room_degc = 23\n", '[[tap]]\nt_s = 0\nstream = "depth"\noutline_px = []\n', "one of rgb, thermal",
    ),
    "reference without temperature": (
        "room_degc = 23\n",
        "[[reference]]\noutline_px = [[1, 2], [9, 2], [5, 9]]\nu95_degc = 0.2\n",
        "degc is missing",
    ),
    "reference known exactly": (
        "room_degc = 23\n",
        "[[reference]]\noutline_px = [[1, 2], [9, 2], [5, 9]]\ndegc = 30\nu95_degc = 0\n",
        "u95_degc must be a number above 0",
    ),
    "reference in the rgb picture at no distance": (
        "room_degc = 23\n",
        '[[reference]]\nstream = "rgb"\noutline_px = [[1, 2], [9, 2], [5, 9]]\ndegc = 30\nu95_degc = 1\n',
        "distance_mm is missing",
    ),
    "key that nobody knows": ("room_degc = 23\n", "foo = 1\n", "foo is not a known key"),
    "key misspelt": ('side = "both"', 'sid = "left"', "sid is not a known key .did you mean side"),
    "key misspelt in a table": (
        "room_degc = 23\n", "[[valve]]\nfrom_s = 0\nto_s = 1\nto = 3\n", r"\[valve 1\] to is not a known key",
    ),
    "tap of points in space": (
        "room_degc = 23\n", "[[tap]]\nt_s = 0\noutline_px = [[1, 2, 3], [1, 2, 3]]\n", "n x 2 finite",
    ),
    "streams is a text": (
        "room_degc = 23\n", 'streams = "rgb.mp4"\n', "streams must be a table"),
    "stream in another folder": (
        "room_degc = 23\n", '[streams]\nrgb = "a/b.mp4"\n', "inside the session folder"),
    "stream is the folder above": (
        "room_degc = 23\n", '[streams]\nrgb = ".."\n', "inside the session folder"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_header_gets_one_sentence(name: str) -> None:
    old, new, told = WRONG[name]
    assert old in TEXT
    with pytest.raises(InputError, match=told) as trouble:
        read_treatment(TEXT.replace(old, new), where="s/session.toml")
    assert str(trouble.value).startswith("s/session.toml")
    assert "\n" not in str(trouble.value)


def test_an_optional_table_of_another_version_is_left_out_with_a_sentence() -> None:
    header = read_treatment(TEXT + "[mood]\nof_day = 3\n", where="x")
    (told,) = header.warnings
    assert "[mood] is not known" in told


@settings(max_examples=100, deadline=None)
@given(junk=st.text(max_size=200))
def test_any_text_is_refused_with_a_sentence(junk: str) -> None:
    with pytest.raises(InputError):
        read_treatment(junk, where="x")
    with pytest.raises(InputError):
        read_treatment('schema = "cryoguide.session/1"\n' + junk, where="x")


def test_recordings_are_read_without_warning(calf: Path, lumbar: Path, tiny: Callable[[], Path]) -> None:
    for folder in (calf, lumbar, tiny()):
        assert read_treatment((folder / "session.toml").read_text(), where="x").warnings == ()


@pytest.mark.parametrize("points", ["[1, 1], [1, 1], [1, 1]", "[100, 100], [200, 200], [300, 300]"])
def test_an_outline_that_goes_round_nothing_is_refused(points: str) -> None:
    tap = f"[[tap]]\nt_s = 0\noutline_px = [{points}]\n"
    with pytest.raises(InputError, match=r"\[tap 1\] outline_px lies on one line and goes round nothing"):
        read_treatment(TEXT + tap, where="s/session.toml")
