"""A part found with what the rig no longer has is said to have lapsed, and so is what rests on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.problems import InputError
from models.rig_file import read_rig, write_rig
from models.validity import NONE, RESTS_ON, Found, Validity, lapsed_words
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def whole(**other: str) -> Validity:
    """Every step done once, its mark its own name unless told otherwise; grounds as they were then."""
    found = [
        Found(step, NOW, other.get(step, step), tuple((ground, ground) for ground in grounds))
        for step, grounds in RESTS_ON.items()
    ]
    return Validity(tuple(found))


def lapsed(validity: Validity, *, now: datetime | None = None) -> list[str]:
    return [one.step for one in validity.lapsed(now=now)]


def test_grounds_come_before_what_rests_on_them() -> None:
    steps = list(RESTS_ON)
    assert all(steps.index(ground) < steps.index(step) for step in steps for ground in RESTS_ON[step])


def test_nothing_has_lapsed_where_all_marks_are_as_they_were() -> None:
    assert lapsed(whole()) == []
    assert lapsed_words(whole().lapsed()) == ""


def test_another_lens_ends_all_that_was_found_with_the_older_one() -> None:
    gone = whole(rgb="new").lapsed()
    assert [one.step for one in gone] == ["thermal", "depth", "collar", "tip", "axis", "jet"]
    assert lapsed_words(gone).endswith(
        "do calibrate thermal, then depth, then collar, then tip, then axis, then jet again"
    )
    assert lapsed_words(gone).startswith("thermal camera and its place, depth camera and its place, ")
    assert lapsed_words(gone).count("found with another lens of the colour camera;") == 1


def test_what_rests_on_a_lapsed_part_has_lapsed_though_its_own_grounds_are_the_same() -> None:
    """The tip was found again with the new lens, the collar was not."""
    validity = whole(rgb="new")
    tip = Found("tip", NOW, "tip", (("rgb", "new"), ("collar", "collar")))
    validity = Validity(tuple(tip if one.step == "tip" else one for one in validity.found))
    told = {one.step: one for one in validity.lapsed()}
    assert told["tip"].because == ("collar",)
    assert "rests on collar, which no longer holds" in told["tip"].words


def test_spread_and_time_leave_the_lens_alone() -> None:
    assert lapsed(whole(time="new")) == []
    assert lapsed(whole(spread="new")) == ["radiometry", "jet"]


def test_a_spread_found_for_the_first_time_does_not_end_a_radiometry_that_bounded_the_halo() -> None:
    first = Found("radiometry", NOW, "radiometry", (("spread", NONE),))
    assert lapsed(Validity((*[one for one in whole().found if one.step == "spread"], first))) == []
    tip = Found("tip", NOW, "tip", (("rgb", "rgb"), ("collar", NONE)))
    grounds = [one for one in whole().found if one.step in ("rgb", "collar")]
    assert lapsed(Validity((*grounds, tip))) == ["tip"]


def test_a_part_is_too_old_after_30_days_and_what_rests_on_it_only_by_its_own_age() -> None:
    found = [
        replace(one, measured=NOW - timedelta(days=31)) if one.step == "rgb" else one for one in whole().found
    ]
    assert lapsed(Validity(tuple(found)), now=NOW) == ["rgb"]
    assert lapsed(Validity(tuple(found))) == []
    assert Validity(tuple(found)).oldest() == NOW - timedelta(days=31)


def test_a_rig_is_read_back_with_its_marks_and_nothing_in_it_is_unknown() -> None:
    rig = replace(real_rig(Scene()), validity=whole(rgb="new"))
    again, warnings = read_rig(write_rig(rig), where="rig.toml")
    assert again.validity == rig.validity
    assert warnings == ()


def test_a_table_of_another_program_is_left_out_with_a_sentence_and_a_wrong_key_of_ours_is_refused() -> None:
    text = write_rig(real_rig(Scene()))
    _, warnings = read_rig(text + "\n[validity]\ndays = 12\n", where="rig.toml")
    assert len(warnings) == 1
    assert "[validity] is not known" in warnings[0]
    marked = '\n[validity.rgb]\nmeasured = 2026-11-28T12:00:00Z\nmark = "a"\n'
    with pytest.raises(InputError, match="is not a known key"):
        read_rig(text + marked + "until = 3\n", where="rig.toml")
