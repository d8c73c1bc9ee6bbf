"""Before the gas: what is asked, and what the answers mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.catalogue import load_questions, load_zones, questions_text
from models.contraindications import Checklist, Question, departures, judge_answers, questions_for
from models.contraindications_file import checklist_text, read_checklist
from models.problems import InputError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LISTED = load_questions()
NAMES = {question.name for question in LISTED.questions}
ASKED = questions_for(LISTED, zone="lumbar", device="ln2-wand")
ALL_NO = {question.name: "no" for question in ASKED}


def kind_of(kind: str) -> list[str]:
    return [question.name for question in ASKED if question.kind == kind and not question.optional]


def edited(tmp_path: Path, old: str, new: str) -> Path:
    assert old in questions_text()
    path = tmp_path / "own.toml"
    path.write_text(questions_text().replace(old, new, 1), "utf-8")
    return path


def asked_of(zone: str | None, device: str | None) -> set[str]:
    return {question.name for question in questions_for(LISTED, zone=zone, device=device)}


@pytest.mark.parametrize("name", kind_of("absolute"))
@pytest.mark.parametrize("answer", ["yes", "unknown", "unanswered"])
def test_an_absolute_one_blocks_unless_it_is_a_plain_no_and_no_reason_lifts_it(
    name: str, answer: str
) -> None:
    judged = judge_answers(ASKED, answers=ALL_NO | {name: answer}, reasons={name: "the doctor said so"})
    assert judged.verdict == "blocked"
    assert [(f.question.name, f.answer, f.reason) for f in judged.blocking] == [
        (name, answer, "the doctor said so")
    ]


@pytest.mark.parametrize("name", kind_of("relative"))
@pytest.mark.parametrize("answer", ["yes", "unknown"])
def test_a_relative_one_needs_a_reason_and_is_clear_with_one(name: str, answer: str) -> None:
    answers = ALL_NO | {name: answer}
    assert judge_answers(ASKED, answers=answers, reasons={name: "  "}).verdict == "needs_confirmation"
    judged = judge_answers(ASKED, answers=answers, reasons={name: "seen by Dr-1"})
    assert judged.verdict == "clear"
    assert [f.reason for f in judged.confirmed] == ["seen by Dr-1"]


@pytest.mark.parametrize("name", sorted(set(ALL_NO) - {"ice-cube-weal"}))
def test_what_nobody_answered_blocks(name: str) -> None:
    answers = {other: "no" for other in ALL_NO if other != name}
    assert judge_answers(ASKED, answers=answers, reasons={}).verdict == "blocked"


def test_all_no_is_clear_and_nothing_answered_is_blocked() -> None:
    assert judge_answers(ASKED, answers=ALL_NO, reasons={}).verdict == "clear"
    assert judge_answers(ASKED, answers={}, reasons={}).verdict == "blocked"


def test_the_ice_cube_test_may_be_left_out_but_a_weal_blocks_and_none_clears_no_history() -> None:
    rest = {name: answer for name, answer in ALL_NO.items() if name != "ice-cube-weal"}
    assert judge_answers(ASKED, answers=rest, reasons={}).verdict == "clear"
    assert judge_answers(ASKED, answers=rest | {"ice-cube-weal": "yes"}, reasons={}).verdict == "blocked"
    told = rest | {"ice-cube-weal": "no", "cold-urticaria": "yes"}
    assert judge_answers(ASKED, answers=told, reasons={}).verdict == "blocked"


def test_a_question_limited_to_zones_or_devices_is_asked_there_and_where_neither_is_known() -> None:
    assert "pregnancy" in asked_of("abdomen", "ln2-wand")
    assert "pregnancy" not in asked_of("knee", "ln2-wand")
    assert "oxygen-alarm" in asked_of("knee", "ln2-wand")
    assert "oxygen-alarm" not in asked_of("knee", "chilled-air")
    assert "co2-alarm" not in asked_of("knee", "ln2-wand")
    assert asked_of(None, None) == NAMES


def test_every_zone_and_device_asks_for_cold_disease_sensation_and_pain() -> None:
    for zone in load_zones():
        for device in ("ln2-wand", "chilled-air", "co2"):
            assert {"raynaud", "cold-urticaria", "no-sensation", "cannot-tell-pain"} <= asked_of(zone, device)


def test_every_question_names_its_source_and_nobody_has_approved_the_list() -> None:
    assert all(q.evidence.source and q.evidence.confidence for q in LISTED.questions)
    assert LISTED.approval == "not approved by a clinician"


def test_an_approval_holds_for_these_questions_only(tmp_path: Path) -> None:
    signed = f'approved_by = "Dr. N."\napproved_questions = "{LISTED.seal}"\nschema ='
    assert load_questions(edited(tmp_path, "schema =", signed)).approval == "approved by Dr. N."
    softer = questions_text().replace("schema =", signed, 1).replace('"absolute"', '"relative"')
    path = tmp_path / "softer.toml"
    path.write_text(softer, "utf-8")
    with pytest.raises(InputError, match="changed after the approval, so have them approved again"):
        load_questions(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "absolute"', 'kind = "total"', "use one of absolute, relative"),
        ('zones = ["foot"', 'zones = ["feet"', "use one of knee"),
        ('devices = ["ln2-wand", "co2"]', "devices = []", "at least 1 entries"),
        ("Buerger's disease?", "Buerger's disease.", "ending in a question mark"),
        ("[question.raynaud]", "[question.Raynaud]", "no name such as"),
        ("confidence =", "confidenze =", "did you mean confidence"),
        ('about = "patient"', 'about = "patient"\noptional = true', "only about"),
        ("schema =", 'approved_questions = "1"\nschema =', "nobody approved"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_questions(edited(tmp_path, old, new))


def test_an_own_list_that_asks_less_is_told() -> None:
    first, second, third, *rest = LISTED.questions
    own: tuple[Question, ...] = (
        replace(second, kind="relative"),
        replace(third, zones=("knee",)),
        *rest,
    )
    told = " ".join(departures(replace(LISTED, questions=own), LISTED))
    assert f"{first.name} (absolute) is not asked" in told
    assert f"{second.name} is relative here" in told
    assert f"{third.name} concerns fewer zones" in told
    assert departures(LISTED, LISTED) == ()


def template(**changes: object) -> str:
    filled = replace(Checklist(NOON, "OP-1", {}, zone="lumbar", device="ln2-wand"), **changes)
    return checklist_text(ASKED, filled=filled, approval=LISTED.approval, title="lumbar")


def test_a_template_reads_back_and_blocks_until_it_is_filled_in() -> None:
    read = read_checklist(template(), where="checklist.toml", known=NAMES)
    assert (read.filled_in, read.operator, read.zone) == (NOON, "OP-1", "lumbar")
    assert len(judge_answers(ASKED, answers=read.answers, reasons=read.reasons).blocking) == len(ASKED) - 1
    filled = template().replace('"unanswered"\n', '"no"\n')
    read = read_checklist(filled, where="checklist.toml", known=NAMES)
    assert judge_answers(ASKED, answers=read.answers, reasons=read.reasons).verdict == "clear"


def test_all_mistakes_of_the_answers_are_told_at_once() -> None:
    text = template().replace("OP-1", "Jane").replace('raynaud = "unanswered"', 'raynaud = "maybe"')
    text = text.replace("[answers]", '[answers]\nrainaud = "no"') + 'wound = "small"\n'
    with pytest.raises(InputError) as told:
        read_checklist(text, where="checklist.toml", known=NAMES)
    for words in ("never a name", "is 'maybe'; use one of yes", "rainaud is no question", "neither yes nor"):
        assert words in str(told.value)
