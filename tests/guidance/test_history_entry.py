"""What the history keeps of a session."""

from __future__ import annotations

import numpy as np
import pytest

from guidance.history.entry import coldest_tenth, limits_reached
from guidance.session import Alarm
from models.exposure import SkinTemperature
from models.history import LimitReached, PastSession, is_code
from tests.history_scenes import NOON, past

CELLS = 1000


def skin(degc: np.ndarray, observed: np.ndarray | None = None) -> SkinTemperature:
    seen = np.ones(CELLS, bool) if observed is None else observed
    return SkinTemperature(degc, np.full(CELLS, 0.7), seen, np.zeros(CELLS))


def test_the_zone_is_as_warm_as_its_coldest_tenth_whatever_lies_around_it() -> None:
    """10 % of the zone at 25 degC, the rest at 33; the rim outside at 15."""
    degc = np.full(CELLS, 33.0)
    in_zone = np.arange(CELLS) >= 200
    degc[:200], degc[200:281] = 15.0, 25.0
    reading = coldest_tenth(skin(degc), in_zone)
    assert reading is not None
    assert (reading.degc, reading.u95_degc) == (25.0, pytest.approx(0.7))
    degc[260:281] = 33.0
    warm = coldest_tenth(skin(degc), in_zone)
    assert warm is not None
    assert warm.degc == 33.0


def test_a_zone_of_which_half_is_hidden_has_no_temperature() -> None:
    seen = np.arange(CELLS) < CELLS // 2
    assert coldest_tenth(skin(np.full(CELLS, 33.0), seen), np.ones(CELLS, bool)) is None
    assert coldest_tenth(None, np.ones(CELLS, bool)) is None


def test_alarms_are_counted_by_cause_and_priority_each_with_its_first_time() -> None:
    alarms = (
        Alarm("dwell", "physiological", "high", "STOP", 9.0),
        Alarm("dwell", "physiological", "medium", "Much.", 7.0, 8.0),
        Alarm("dwell", "physiological", "medium", "Much.", 4.0, 5.0),
    )
    assert limits_reached(alarms) == (
        LimitReached("dwell", "physiological", "medium", 2, 4.0),
        LimitReached("dwell", "physiological", "high", 1, 9.0),
    )


@pytest.mark.parametrize(
    ("subject", "fits"),
    [("A-017", True), ("p3", True), ("2026.11_x-4", True), ("Anna", False), ("A 017", False), ("", False)],
)
def test_a_code_has_a_digit_and_no_space(subject: str, fits: bool) -> None:
    assert is_code(subject) == fits


def test_no_name_gets_into_an_entry() -> None:
    with pytest.raises(ValueError, match="no subject code"):
        past(subject="Anna Example")


def test_a_start_is_held_in_utc_and_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="offset from UTC"):
        past(started=NOON.replace(tzinfo=None))
    assert isinstance(past(), PastSession)
