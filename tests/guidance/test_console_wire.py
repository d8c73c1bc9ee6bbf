"""What a page may say, and how a picture is packed."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.console_session import Answer, ConfirmSound, Identify, Move
from guidance.console_wire import (
    MESSAGE_MOST,
    About,
    BadMessageError,
    Drawn,
    pack,
    read_message,
    text_of,
    unpack,
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
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
