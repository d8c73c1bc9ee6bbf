"""What no rig is, is refused with what is wrong, where and what to do; what merely is unusual is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.problems import InputError
from models.rig_file import read_rig, write_rig

PLAIN = """schema = "cryoguide.rig/1"
created = 2026-11-23T09:00:00Z

[rgb]
width_px = 1280
height_px = 720
fx_px = 1000.0
fy_px = 1001.0
cx_px = 640.0
cy_px = 360.0
distortion = [0, 0, 0, 0, 0]

[thermal]
width_px = 256
height_px = 192
fx_px = 300.0
fy_px = 300.0
cx_px = 127.5
cy_px = 95.5
distortion = [0, 0, 0, 0, 0]
emissivity = 0.98
accuracy_degc = 2.0
thermal_from_rgb = [[1, 0, 0, -30], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
rgb_minus_thermal_s = 0.0

[nozzle]
dictionary = "DICT_APRILTAG_36h11"
bore_mm = 12.0
[[nozzle.tag]]
id = 0
corners_nozzle_mm = [[27, 12, -112], [27, -12, -112], [27, -12, -88], [27, 12, -88]]

[skin]
dictionary = "DICT_APRILTAG_36h11"
size_mm = 24.0
ids = [100]
"""


def told(old: str, new: str) -> str:
    """What is said of the rig with one figure changed."""
    assert PLAIN.count(old) == 1
    with pytest.raises(InputError) as trouble:
        read_rig(PLAIN.replace(old, new), where="s/rig.toml")
    sentence = str(trouble.value)
    assert sentence.startswith("s/rig.toml has 1 mistake: ")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "cx_px = 640.0",
            "cx_px = -5000",
            r"\[rgb\] cx_px is -5000, but in a picture 1280 px wide .* between -640 and 1920; .* again\.",
        ),
        ("cy_px = 95.5", "cy_px = 500", r"\[thermal\] cy_px is 500, but in a picture 192 px high"),
        ("fx_px = 1000.0\nfy_px = 1001.0", "fx_px = 56\nfy_px = 560", r"\[rgb\] fx_px .* 170 degrees"),
        ("fx_px = 1000.0", "fx_px = 99000", r"\[rgb\] fx_px .* 0\.741 degrees .* 1 to 150"),
        ("fy_px = 300.0", "fy_px = 700.0", r"\[thermal\] fx_px is 300 beside an fy_px of 700"),
        (
            "0, -30]",
            "0, -5000]",
            r"\[thermal\] thermal_from_rgb puts it 5 m from the colour camera \(at most",
        ),
        (
            "[27, 12, -112]",
            "[1800, 12, -1800]",
            r"\[nozzle.tag 1\] corners_nozzle_mm lies 2\.55 m from the tip",
        ),
        ("[27, 12, -112]", "[27, 412, -112]", r"\[nozzle.tag 1\] corners_nozzle_mm has a side of 4"),
        ("size_mm = 24.0", "size_mm = 0.024", r"\[skin\] size_mm is a side of 0\.024 mm \(tags: 3 to 200\)"),
        ("size_mm = 24.0", "size_mm = 1999", r"\[skin\] size_mm is a side of 1999 mm"),
    ],
)
def test_what_no_rig_is_gets_one_sentence_with_place_and_remedy(old: str, new: str, words: str) -> None:
    sentence = told(old, new)
    assert re.search(words, sentence), sentence
    assert sentence.endswith("Correct the file and start again.")


@pytest.mark.parametrize("far", ["thermal", "nozzle"])
def test_a_tip_or_a_camera_metres_away_is_refused_in_any_direction(far: str) -> None:
    if far == "thermal":
        assert "m from the colour camera" in told("0, -30], [0, 1, 0, 0]", "0, -1900], [0, 1, 0, 1900]")
    else:
        moved = "[[27, 12, -3112], [27, -12, -3112], [27, -12, -3088], [27, 12, -3088]]"
        old = "[[27, 12, -112], [27, -12, -112], [27, -12, -88], [27, 12, -88]]"
        assert "corners_nozzle_mm" in told(old, moved)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "fx_px = 1000.0\nfy_px = 1001.0",
            "fx_px = 300\nfy_px = 300",
        ),  # 130 degrees: the widest that is sold
        ("fx_px = 1000.0\nfy_px = 1001.0", "fx_px = 18000\nfy_px = 18000"),  # 4 degrees
        ("fx_px = 300.0", "fx_px = 430.0"),  # the most oblong pixels of television
        ("cx_px = 640.0", "cx_px = 1900"),  # cut out of the corner of a larger picture
        ("0, -30]", "0, -1500]"),  # on a stand of its own
        ("size_mm = 24.0", "size_mm = 5.0"),
    ],
)
def test_what_is_unusual_is_read(old: str, new: str) -> None:
    assert old in PLAIN
    rig, _ = read_rig(PLAIN.replace(old, new), where="rig.toml")
    again, _ = read_rig(write_rig(rig), where="rig.toml")
    assert again.rgb.fx_px == rig.rgb.fx_px


def test_a_stand_in_for_a_figure_that_is_wrong_is_no_second_mistake(tiny: Callable[[], Path]) -> None:
    text = (tiny() / "rig.toml").read_text()
    with pytest.raises(InputError, match=r"has 1 mistake: \[rgb\] cx_px must be a number"):
        read_rig(text.replace("cx_px = 31.5", 'cx_px = "left"', 1), where="rig.toml")
    with pytest.raises(InputError, match=r"has 1 mistake: \[skin\] size_mm must be a number"):
        read_rig(text.replace("size_mm = 24", "size_mm = -1", 1), where="rig.toml")


NUMBERS = [match.span() for match in re.finditer(r"(?<![\w.])-?\d+(\.\d+)?(?![\w.:-])", PLAIN)]
"""Where figures stand."""

STRANGE = st.one_of(
    st.floats(width=32).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["nan", "inf", "-inf", "1e308", "-0.0", "1e-320", "true", '"a"', "[]", "{}", "[1]"]),
)


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, len(NUMBERS) - 1), STRANGE), min_size=1, max_size=4))
def test_any_figures_are_read_and_written_back_or_refused_in_a_line(changes: list[tuple[int, str]]) -> None:
    text = PLAIN
    for at, new in sorted(dict(changes).items(), reverse=True):
        begin, end = NUMBERS[at]
        text = text[:begin] + new + text[end:]
    said = "rig.toml"
    try:
        rig, _ = read_rig(text, where="rig.toml")
        read_rig(write_rig(rig), where="again.toml")
    except InputError as trouble:
        said = str(trouble)
    assert "\n" not in said
    assert said.startswith("rig.toml"), "what was read is written back"
