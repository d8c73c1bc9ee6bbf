"""What a page may say, and how a picture is packed."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.treatment.commands import Answer, ConfirmSound, EditZone, Identify, Move, SkipTouch, TakeTouch
from guidance.treatment.wire import (
    MESSAGE_MOST,
    About,
    BadMessageError,
    Drawn,
    pack,
    read_message,
    text_of,
    unpack,
)
from guidance.zone_actions import (
    AdjustZone,
    DragZone,
    KeepIn,
    LeaveOutCircle,
    MarkSpot,
    OutlineZone,
    ResizeLeftOut,
    ZoneAsFound,
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"do": "zone_as_found"}, EditZone(ZoneAsFound(0.0))),
        (
            {"do": "outline_zone", "points": [[1, 2], [3.5, 4], [5, 60]]},
            EditZone(OutlineZone(0.0, ((1.0, 2.0), (3.5, 4.0), (5.0, 60.0)))),
        ),
        (
            {"do": "adjust_zone", "right_mm": -5, "down_mm": 0, "turn_deg": 5, "scale": 1.1},
            EditZone(AdjustZone(0.0, -5.0, 0.0, 5.0, 1.1)),
        ),
        ({"do": "drag_zone", "from": [1, 2], "to": [3, 4]}, EditZone(DragZone(0.0, (1.0, 2.0), (3.0, 4.0)))),
        (
            {"do": "leave_out_circle", "at": [1, 2], "radius_mm": 10},
            EditZone(LeaveOutCircle(0.0, (1.0, 2.0), 10.0)),
        ),
        ({"do": "resize_left_out", "number": 2, "radius_mm": 13}, EditZone(ResizeLeftOut(0.0, 2, 13.0))),
        ({"do": "keep_in", "number": 2}, EditZone(KeepIn(0.0, 2))),
        ({"do": "mark_spot", "at": [1, 2]}, EditZone(MarkSpot(0.0, (1.0, 2.0)))),
        ({"do": "take_touch"}, TakeTouch()),
        ({"do": "skip_touch", "reason": "no tag"}, SkipTouch("no tag")),
        ({"do": "stop"}, Move("stop")),
        ({"do": "quiet"}, About("quiet")),
        ({"do": "confirm_sound"}, ConfirmSound()),
        ({"do": "drawn", "number": 7}, Drawn(7)),
        ({"do": "identify", "operator": "OP-1", "subject": ""}, Identify("OP-1", "")),
        (
            {"do": "answer", "question": "raynaud", "answer": "no", "reason": ""},
            Answer("raynaud", "no", ""),
        ),
    ],
)
def test_a_page_is_understood(said: dict[str, object], meant: object) -> None:
    assert read_message(json.dumps(said)) == meant


@pytest.mark.parametrize(
    "said",
    [
        "", "null", "[]", "{", '{"do": 1}', '{"do": "format_disk"}', '{"do": "stop", "also": "this"}',
        '{"do": "drawn"}', '{"do": "drawn", "number": true}', '{"do": "drawn", "number": 1.5}',
        '{"do": "identify", "operator": 7, "subject": ""}', '{"do": "answer", "question": "raynaud"}',
        '{"do": "zone_as_found", "points": []}', '{"do": "outline_zone"}',
        '{"do": "outline_zone", "points": 7}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4]]}',
        '{"do": "outline_zone", "points": [[1], [2], [3]]}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, NaN]]}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, true]]}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, "6"]]}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, null]]}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, 1e400]]}',
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, ' + "9" * 400 + "]]}",
        '{"do": "outline_zone", "points": [[1, 2], [3, 4], [5, -6]]}',
        '{"do": "outline_zone", "points": [' + "[1,2]," * 64 + "[1,2]]}",
        '{"do": "outline_zone", "points": {"0": [1, 2], "1": [3, 4], "2": [5, 6]}}',
        '{"do": "adjust_zone", "right_mm": 51, "down_mm": 0, "turn_deg": 0, "scale": 1}',
        '{"do": "adjust_zone", "right_mm": 0, "down_mm": 0, "turn_deg": 0, "scale": 0}',
        '{"do": "adjust_zone", "right_mm": 0, "down_mm": 0, "turn_deg": Infinity, "scale": 1}',
        '{"do": "adjust_zone", "right_mm": 0, "down_mm": 0, "turn_deg": 0}',
        '{"do": "drag_zone", "from": [1, 2], "to": [3, 4, 5]}',
        '{"do": "leave_out_circle", "at": [1, 2], "radius_mm": 1}',
        '{"do": "leave_out_circle", "at": [1, 2], "radius_mm": 61}', '{"do": "keep_in", "number": 1.0}',
        '{"do": "keep_in", "number": 0}', '{"do": "keep_in", "number": true}',
        '{"do": "take_touch", "state": "ok"}',
        '{"do": "skip_touch"}', '{"do": "skip_touch", "reason": 1}',
        "[" * 1000, '{"do": "' + "x" * MESSAGE_MOST + '"}', '{"do": ["stop"]}', '{"do": {"stop": 1}}',
    ],
)  # fmt: skip
def test_anything_else_is_refused(said: str) -> None:
    with pytest.raises(BadMessageError):
        read_message(said)


@given(st.text(max_size=200))
def test_no_text_does_anything_but_be_understood_or_refused(said: str) -> None:
    with suppress(BadMessageError):
        read_message(said)


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda key: key != "parts"), st.integers() | st.text()),
    st.dictionaries(st.text(max_size=5), st.binary(max_size=20), max_size=4),
)
def test_what_is_packed_comes_out_again(head: dict[str, object], parts: dict[str, bytes]) -> None:
    assert unpack(pack(head, parts)) == (head, parts)


def test_a_number_that_is_not_finite_goes_out_as_not_known() -> None:
    told = {"left_s": float("inf"), "deep": [{"degc": float("nan")}, 1.5, (2, "x")]}
    assert json.loads(text_of(told)) == {"left_s": None, "deep": [{"degc": None}, 1.5, [2, "x"]]}
