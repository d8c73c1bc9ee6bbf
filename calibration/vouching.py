"""What a certificate vouches for, part by part, and everything that it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from calibration.marks import TABLES, fingerprint, was_done
from calibration.rig_text import Toml, rig_text
from models.problems import InputError
from models.rig_checked import CHECK_FILE, RigChecked, read_checked
from models.rig_file import read_rig
from models.validity import RESTS_ON, TITLES, Validity

HOLDS, LAPSED, NOT_MEASURED = "holds", "no longer holds", "not measured"

INSTEAD: Mapping[str, str] = {
    "rgb": "as the rig states it, bound not known",
    "thermal": "as the rig states it, bound not known",
    "depth": "as the rig states it, bound not known",
    "spread": "a usual one is taken, its halo is only bounded",
    "radiometry": "the camera's claim alone holds",
    "time": "as the rig states it, 20 ms are allowed for",
    "collar": "as it was printed",
    "tip": "where the collar's print has it",
    "axis": "along the collar's, as it was printed",
    "jet": "as the class of the device has it",
}
"""What is taken where a step was never done."""


@dataclass(frozen=True)
class Standing:
    """How one part of the rig stands."""

    name: str
    """Step, or what no step measures."""
    title: str
    state: str
    """`HOLDS`, `LAPSED` or `NOT_MEASURED`."""
    why: str
    """It does not hold, or what should be known of it; empty = nothing."""
    remedy: str = ""
    measured: datetime | None = None
    rests_on: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Why, and what to do."""
        return f"{self.why}; {self.remedy}" if self.why and self.remedy else self.why or self.remedy


def standings(
    tables: Toml, *, marks: Mapping[str, str] | None, now: datetime, checked: RigChecked | None = None
) -> tuple[Standing, ...]:
    """Of every part of a rig, whether it is in the rig or not.

    Args:
        tables: Of the rig.
        marks: Fingerprint by step, as the certificate has kept them; None = those in the rig alone count.
        now: Time of day.
        checked: The last quick check, whatever rig it was of.
    """
    validity = validity_of(tables, now=now)
    gone = {one.step: one for one in validity.lapsed(now=now)}
    blamed = _blamed(checked)
    told: list[Standing] = []
    for step, grounds in RESTS_ON.items():
        if step == "depth" and "depth" not in tables:  # a rig that is whole without
            continue
        one, title = validity.of(step), TITLES[step]
        measured = one.measured if one is not None else None
        own = fingerprint(tables, TABLES[step])
        kept = None if marks is None else marks.get(step)
        state, why, remedy = HOLDS, "", f"do calibrate {step} again"
        if one is None and kept is None:
            state, why, remedy = NOT_MEASURED, INSTEAD[step], f"calibrate {step}"
            if was_done(tables, step):
                why = "it is in the rig, but nothing says when and how it was found"
        elif (one is not None and own[:12] != one.mark) or (kept is not None and own != kept):
            state = LAPSED
            why = f"[{TABLES[step]}] was changed after this step"
        elif step in gone:
            state = LAPSED
            why = gone[step].why
        elif step in blamed and checked is not None and (measured is None or checked.checked > measured):
            state, why, remedy = LAPSED, f"by the check of {_day(checked.checked)}: {blamed[step]}", ""
        elif kept is None and marks is not None:
            why = "how it was found is not in this page"
        remedy = "" if state == HOLDS else remedy
        told.append(Standing(step, title, state, why, remedy, measured, grounds))
    return (*told, *_never_measured(tables))


def not_vouched_for(told: tuple[Standing, ...]) -> tuple[Standing, ...]:
    """All that does not hold."""
    return tuple(one for one in told if one.state != HOLDS)


def validity_of(tables: Toml, *, now: datetime) -> Validity:
    """What the rig says of when its parts were found."""
    rig, _ = read_rig(rig_text(tables, now=now), where="The rig")
    return rig.validity


def last_check(rig: Path) -> RigChecked | None:
    """The quick check beside a rig; None where there is none that can be read."""
    try:
        return read_checked(rig.with_name(CHECK_FILE).read_text(encoding="utf-8"), where=CHECK_FILE)
    except (OSError, UnicodeDecodeError, InputError):
        return None


def _blamed(checked: RigChecked | None) -> dict[str, str]:
    """Steps that a check asks to be done again, and what it found."""
    if checked is None:
        return {}
    return {step: part.words for part in checked.moved for step in part.again}


def _never_measured(tables: Toml) -> list[Standing]:
    """Parts that no step measures, or only where it is asked to."""
    told: list[Standing] = []
    nozzle = tables.get("nozzle")
    if isinstance(nozzle, dict) and "scale" not in nozzle:
        remedy = "measure the side of a tag with a calliper and say calibrate collar --tag-mm-u95"
        told.append(Standing("scale", "size of the collar's tags", NOT_MEASURED, "as printed", remedy))
    if "depth" in tables:
        clocks = tables.get("time")
        if not (isinstance(clocks, dict) and "depth" in clocks):
            words = "taken for none; calibrate time with a recording that holds depth pictures"
            told.append(Standing("depth time", "time of the depth camera", NOT_MEASURED, words))
    skin = tables.get("skin")
    if isinstance(skin, dict) and "scale" not in skin:
        words, remedy = (
            "as printed; no step measures it",
            "put what print skin --measured-mm A B writes into the rig",
        )
        told.append(Standing("skin", "size of the skin tags", NOT_MEASURED, words, remedy))
    return told


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
