"""Messages as text and back: every bit, and nothing that was not asked for."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.exact_text import from_plain, from_text, to_plain, to_text
from models.geometry import Counts, Floats, Pose
from models.sightings import BodyMotion, Landmarks, Lost, NozzleSighting, Seen


@dataclass(frozen=True, eq=False)
class Message:
    values: Floats
    counts: Counts
    when: datetime
    one: float
    names: tuple[str, ...] = ()
    pairs: tuple[tuple[float, bool], ...] = ()
    what: NozzleSighting | Lost | None = None
    table: dict[str, Lost] | None = None


def message() -> Message:
    values = np.array([[0.1, -0.0, np.nan], [np.inf, -np.inf, 5e-324]])
    return Message(values, np.array([0, 65535], np.uint16), datetime(2026, 11, 28, 10, 0, 0, 1, UTC), 1 / 3)


def test_every_number_comes_back_to_the_last_bit() -> None:
    given_, back = message(), from_text(to_text(message()), Message)
    assert back.values.tobytes() == given_.values.tobytes()
    assert back.counts.dtype == np.uint16
    assert back.counts.tolist() == [0, 65535]
    assert back.when == given_.when
    assert back.one == 1 / 3


@given(st.floats(allow_nan=True, width=64))
def test_any_float_comes_back(value: float) -> None:
    back = from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)), float)
    assert np.float64(back).tobytes() == np.float64(value).tobytes() or (
        math.isnan(back) and math.isnan(value)
    )


@pytest.mark.parametrize("size", [3, 40])
def test_an_array_keeps_the_order_in_which_it_lies_in_memory(size: int) -> None:
    """Sums run along memory: another order gives other last bits. Lists and base64 alike."""
    array = np.arange(float(size * size)).reshape(size, size).T
    back: Floats = from_text(to_text(array), np.ndarray)
    assert back.flags.f_contiguous
    assert not back.flags.c_contiguous
    assert np.array_equal(back, array)
    assert not back.flags.writeable


def test_what_was_seen_comes_back_as_the_same_kind_of_message() -> None:
    nozzle = NozzleSighting(1.5, Pose.identity(), np.eye(6) / 7.0, np.ones(3) / 3.0, 4, "tracked")
    body = BodyMotion(Pose.identity(), np.zeros(3), np.eye(9).T / 3.0, float("nan"), 1.4)
    seen = Seen(True, nozzle, (), Lost("no body", 0.1), body)
    back = from_text(to_text(seen), Seen)
    assert isinstance(back.nozzle, NozzleSighting)
    assert back.nozzle.covariance.tobytes() == nozzle.covariance.tobytes()
    assert back.landmarks == Lost("no body", 0.1)
    assert math.isnan(back.body.matched)
    lost = from_text(to_text(replace(seen, nozzle=Lost("hidden", 0.2, "ambiguous"), body=None)), Seen)
    assert lost.nozzle == Lost("hidden", 0.2, "ambiguous")
    assert lost.body is None


def test_landmarks_keep_what_is_believed() -> None:
    points = np.linspace(0.0, 1.0, 66).reshape(33, 2)
    found = Landmarks(0.5, points, np.ones(33), np.zeros((33, 3)), np.arange(33) % 2 == 0)
    back = from_text(to_text(found), Landmarks | Lost | None)
    assert back.believed.tolist() == found.believed.tolist()
    assert back.points_px.tobytes() == points.tobytes()


def test_the_text_is_json_that_any_reader_takes() -> None:
    told = json.loads(to_text(message()), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert told["values"]["values"][2] == "NaN"


def test_a_field_that_is_not_there_takes_its_default() -> None:
    plain = to_plain(message())
    del plain["names"], plain["what"]
    assert from_plain(plain, Message).names == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": 1}, "no field colour"),
        ({"is": "Other"}, "Message was expected"),
        ({"one": "much"}, "float was expected"),
        ({"one": True}, "float was expected"),
        ({"what": {"is": "Guess"}}, "Guess is none"),
        ({"pairs": [[1.0]]}, "2 values were expected"),
        ({"values": {"kind": "|O", "shape": [1], "values": [1]}}, "an array was expected"),
        ({"values": {"kind": "<f8", "shape": [3], "values": [1.0]}}, "an array was expected"),
        ({"when": 5}, "datetime was expected"),
    ],
)
def test_anything_else_is_refused_in_words(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_plain(to_plain(message()) | change, Message)


def test_a_missing_field_without_default_is_refused() -> None:
    plain = to_plain(message())
    del plain["one"]
    with pytest.raises(ValueError, match="one"):
        from_plain(plain, Message)


def test_what_has_no_place_in_a_message_is_not_written() -> None:
    with pytest.raises(TypeError, match="no place"):
        to_plain({"a": {1, 2}})
    with pytest.raises(TypeError, match="no place"):
        to_plain(np.array(["a"]))
