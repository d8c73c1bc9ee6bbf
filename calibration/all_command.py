"""``cryoguide calibrate all``: every step from a folder of pictures or a recording, and what is missing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast

from calibration.advice import Sight
from calibration.board import OWN, BoardView, board_of, find_board
from calibration.board_step import RGB_ASKED_MM, THERMAL_ASKED_MM, BoardStep
from calibration.folder_steps import (
    ACCEPTED,
    FOLDERS,
    KEPT,
    MISSING,
    WANTED,
    Sheets,
    StepTold,
    holds_steps,
    run_step,
)
from calibration.further_steps import ORDER, run_further
from calibration.further_steps import TITLES as FURTHER
from calibration.further_steps import WANTED as FURTHER_WANTED
from calibration.guided_options import STEPS
from calibration.guided_run import THINGS, TITLES, GuidedRun, Wanted
from calibration.pairs import read_pairs
from calibration.pictures import read_folder
from calibration.recorded_pictures import one_recording_or
from calibration.rig_text import read_tables
from calibration.scale import Scale, directions_words, scale_of, scaled
from calibration.sheets import TARGET
from calibration.thermal_command import found_in_both, known_camera
from models.geometry import Bytes, Counts
from models.problems import InputError
from models.validity import RESTS_ON
from models.validity_file import NAME as VALIDITY
from vision.put_files import put_file
from vision.source import open_source


def wanted_of(options: argparse.Namespace, *, scale: Scale | None = None) -> Wanted:
    """What a user asks of a guided calibration.

    Args:
        options: As `calibration.guided_options` reads them.
        scale: Of the printed sheets; None = as the options have it.

    Raises:
        InputError: If a board cannot be read, or the print is off.
    """
    scale = scale if scale is not None else scale_of(options.measured_mm, insist=options.insist)
    rig = cast("Path | None", options.out) or cast("Path | None", options.rig) or Path("rig.toml")
    given = cast("Path | None", options.rig)
    if given is not None and given != rig and not rig.exists():
        _copy(given, rig)
    keep = cast("Path | None", options.keep) or rig.with_name(f"{rig.stem}-pictures")
    return Wanted(
        rig=rig,
        keep=keep,
        sheets=Sheets(
            board=scaled(OWN, scale) if options.board == "own" else board_of(options.board),
            target=scaled(TARGET, scale) if options.target == "own" else board_of(options.target),
            scale=scale,
            collar=options.collar,
        ),
        steps=tuple(options.steps),
        asked_mm=options.asked_mm,
        force=options.force,
    )


def calibrate_all(options: argparse.Namespace, now: datetime) -> bool:
    """Do what can be done, tell what is missing and what to take next.

    Returns:
        Whether every step that was asked for is in the rig.

    Raises:
        InputError: If the source or a file of it cannot be read.
    """
    source, wanted = cast(Path, options.source), wanted_of(options)
    if (open_ := directions_words(wanted.sheets.scale)) is not None:
        print(open_)
    by_steps = holds_steps(source) or any((source / name).is_dir() for name in FURTHER)
    if not source.exists() or (source.is_dir() and not by_steps and not _is_session(source)):
        raise InputError(
            f"{source} {'holds no pictures for a step' if source.exists() else 'is not there'}; give a folder"
            " with rgb/, pairs/colour/, pairs/thermal/, collar/ or tip/, or a recording."
        )
    if by_steps:
        told = _from_folder(source, wanted, now, further=_further(options))
    else:
        told = _from_recording(source, wanted, now)
    print("\n" + "\n".join(f"{_title(one.name):26}{one.state}" for one in told))
    good = all(one.state in (ACCEPTED, KEPT) for one in told)
    rig = f"Rig: {wanted.rig}" if wanted.rig.exists() else "No rig was written."
    print(_all_told(wanted.rig) if good else f"Not all is calibrated; see above. {rig}")
    return good


def _all_told(rig: Path) -> str:
    """What is calibrated after these steps, and what was never measured: a rig may lack most of it."""
    tables = read_tables(rig)
    done = tables.get(VALIDITY)
    open_ = [
        name
        for name in RESTS_ON
        if not (isinstance(done, dict) and name in done) and (name != "depth" or "depth" in tables)
    ]
    if not open_:
        return "All is calibrated."
    return f"All of these steps are done. Not measured yet: {', '.join(open_)}; each is a step of its own."


def _is_session(folder: Path) -> bool:
    return (folder / "session.toml").exists()


def _title(name: str) -> str:
    return TITLES.get(name) or FURTHER[name]


def _further(options: argparse.Namespace) -> dict[str, list[str]]:
    """What is said of the steps that no guided run needs; none of them where steps are named."""
    if tuple(options.steps) != STEPS:
        return {}
    said: dict[str, list[str]] = {name: [] for name in FURTHER}
    for reference in options.reference or ():
        said["radiometry"] += ["--reference", *reference]
    if said["radiometry"] and options.room_degc is not None:
        said["radiometry"] += ["--room-degc", str(options.room_degc)]
    said["jet"] += ["--surface", options.surface]
    said["depth"] += ["--board", options.board]
    if options.measured_mm is not None:
        said["depth"] += ["--measured-mm", *map(str, options.measured_mm)]
    said["depth"] += ["--insist"] if options.insist else []
    return said


def _from_folder(
    folder: Path, wanted: Wanted, now: datetime, *, further: dict[str, list[str]]
) -> list[StepTold]:
    told: list[StepTold] = []
    left = list[str]()
    for name in ORDER:
        if name in further:
            one = run_further(name, folder, wanted.rig, words=further[name], force=wanted.force, now=now)
            if one is None:
                left.append(FURTHER_WANTED[name])
                continue
        elif name in wanted.steps:
            one = run_step(name, folder, wanted.rig, wanted.sheets, force=wanted.force, now=now)
        else:
            continue
        told.append(one)
        print(f"\n{_title(name)}")
        print("\n".join(f"  {line}" for line in one.lines))
        if one.state not in (ACCEPTED, KEPT) and (words := _next_of(name, folder, wanted)):
            print(f"  Take next: {words} (sides as the picture has them).")
    if left:
        print("\nNot measured, as nothing is there for it:\n" + "\n".join(f"  {one}" for one in left))
    return told


def _next_of(name: str, folder: Path, wanted: Wanted) -> str | None:
    """The picture of a board that would help most, told by those that are there."""
    where = folder / FOLDERS.get(name, "")
    if name not in ("rgb", "thermal") or not where.is_dir() or one_recording_or(where) != where:
        return None
    if name == "rgb":
        board = wanted.sheets.board
        pictures, _ = read_folder(where)
        height, width = pictures[0][1].shape
        views = [find_board(grey, board, name=one) for one, grey in pictures]
        sights = [Sight(float(k), view) for k, view in enumerate(views) if isinstance(view, BoardView)]
        step = BoardStep.rgb(board, size_px=(width, height), asked_mm=wanted.asked_mm or RGB_ASKED_MM)
    else:
        board = wanted.sheets.target
        read, _ = read_pairs(str(where / "colour"), str(where / "thermal"))
        pairs = found_in_both(read, board, [])
        sights = [Sight(float(k), pair.rgb, thermal=pair.thermal) for k, pair in enumerate(pairs)]
        (height, width), (rows, columns) = read[0].rgb.shape, read[0].thermal.shape
        if not wanted.rig.exists():
            return None
        known = known_camera(read_tables(wanted.rig), (width, height))
        step = BoardStep.thermal(
            board,
            known,
            size_px=(columns, rows),
            rgb_size_px=(width, height),
            asked_mm=wanted.asked_mm or THERMAL_ASKED_MM,
        )
    step = step.having(sights)
    return None if step.wanted is None else step.wanted.words(mirrored=False)


def played(source: Path) -> Iterator[tuple[float, Bytes, Counts | None]]:
    """Time, colour picture and the thermal picture that came with it, if any.

    Raises:
        InputError: If it cannot be read.
    """
    for capture in open_source(source).captures():
        if capture.bgr is not None:
            yield capture.t_s, capture.bgr, capture.thermal[-1].centikelvin if capture.thermal else None


def _from_recording(source: Path, wanted: Wanted, now: datetime) -> list[StepTold]:
    run = GuidedRun(wanted, recorded=True, now=lambda: now)
    for t_s, bgr, thermal in played(source):
        if run.is_over:
            break
        advice = run.look(t_s, bgr, thermal)
        if advice is not None and advice.taken:
            error = "" if advice.error_mm is None else f", error on the skin {advice.error_mm:.1f} mm"
            print(f"{t_s:7.1f} s  {TITLES[advice.step]}: picture {advice.count}{error}", file=sys.stderr)
        if advice is not None and advice.done:
            _print(run.finish())
    while not run.is_over:
        name, step = run.name, run.step
        assert name is not None
        if step is not None and step.error_mm is not None:
            told = run.finish()
            _print(told)
            if told.state in (ACCEPTED, KEPT):
                continue
        if isinstance(step, BoardStep) and step.wanted is not None:
            words = step.wanted.words(mirrored=False)
            print(f"{TITLES[name]}: show {THINGS[name]} next: {words[:1].lower()}{words[1:]}.")
        elif step is None or not step.taken:
            missing = f"{THINGS[name]} is not in the recording; show it there, or take {WANTED[name]}"
            print(f"{TITLES[name]}: {missing}.")
        run.skip()
    return [run.told.get(name, StepTold(name, MISSING, ())) for name in wanted.steps]


def _print(told: StepTold) -> None:
    print(f"\n{TITLES[told.name]}")
    print("\n".join(f"  {line}" for line in told.lines))


def _copy(source: Path, target: Path) -> None:
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InputError(
            f"{source} cannot be read ({error.strerror}); give the rig.toml to go on from."
        ) from error
    put_file(target, content)
