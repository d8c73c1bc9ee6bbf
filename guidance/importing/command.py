"""``cryoguide import``: thermal pictures of any camera, a colour video and a rig, into a session folder."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from guidance.importing.header import header_text
from guidance.importing.plan import VIDEO_SUFFIXES, Plan, plan_import
from guidance.importing.rig import rig_text
from guidance.importing.view import SHOWN_DEGC, print_correction, print_written
from models.problems import InputError
from models.rig import Corrected
from vision.files import atomic_folder
from vision.recording import open_recording
from vision.thermal_store import Written, write_thermal

_MARK = "import.txt"
"""In every imported session, and in no other: only those are replaced."""
_PRODUCTS = (
    "session.toml",
    "rig.toml",
    "rgb.csv",
    "thermal.npz",
    "depth.npz",
    "depth.mkv",
    "depth.csv",
    _MARK,
    *(f"rgb{suffix}" for suffix in VIDEO_SUFFIXES),
)


def import_session(options: argparse.Namespace, *, on_progress: Callable[[int, int, str], None]) -> None:
    """Do what was asked.

    Args:
        options: As the command line has them.
        on_progress: Told pictures done, pictures in all, and what goes on.

    Raises:
        InputError: If anything is missing or wrong (all of it at once, as far as it can be told), or the
            folder cannot be written. Nothing half-written stays.
    """
    out: Path = options.out
    if (out / "session.toml").exists() and not (out / _MARK).exists():
        raise InputError(f"{out} holds a session that was not imported; choose another folder.")
    plan = plan_import(options)
    print_correction(plan.source, plan.correction, plan.curve)
    written, warnings = _write(plan, out, on_progress)
    print_written(written, (*plan.warnings, *warnings), folder=out)


def _write(
    plan: Plan, out: Path, on_progress: Callable[[int, int, str], None]
) -> tuple[Written, tuple[str, ...]]:
    """Write the session aside, read it as the analysis will, and put it in place."""
    with atomic_folder(out, products=_PRODUCTS, what="imported session") as aside:
        rgb = None
        if plan.colour is not None:
            rgb = f"rgb{plan.colour.video.path.suffix.lower()}"
            on_progress(0, 0, "copying the video")
            shutil.copyfile(plan.colour.video.path, aside / rgb)
            rows = "".join(f"{index},{t_s:.6f}\n" for index, t_s in plan.colour.rows)
            (aside / "rgb.csv").write_text(f"index,t_s\n{rows}", encoding="utf-8")
        depth = None
        if plan.depth is not None:
            depth = f"depth{plan.depth.suffix.lower()}"
            shutil.copyfile(plan.depth, aside / depth)
            if depth == "depth.mkv":
                shutil.copyfile(plan.depth.with_suffix(".csv"), aside / "depth.csv")
        written = write_thermal(
            aside / "thermal.npz",
            plan.source,
            t_s=plan.times.t_s,
            flag=plan.times.flag,
            correction=plan.correction,
            on_progress=lambda done, total: on_progress(done, total, "thermal pictures"),
        )
        if plan.rig is not None:
            text, rig = plan.rig
            edited = rig_text(
                text,
                rig,
                emissivity=plan.correction.around.emissivity,
                corrected=_corrected(plan),
                on_session_clock=plan.times.offset_said,
            )
            (aside / "rig.toml").write_text(edited, encoding="utf-8")
        header = header_text(plan.header, started=plan.started, rgb=rgb, thermal="thermal.npz", depth=depth)
        (aside / "session.toml").write_text(header, encoding="utf-8")
        (aside / _MARK).write_text(_story(plan, written), encoding="utf-8")
        warnings = _read_back(aside, out)
    return written, (*warnings, *_lost(plan, written))


def _lost(plan: Plan, written: Written) -> list[str]:
    """A sentence for each kind of picture that could not be taken over."""
    where, told = plan.source.where, list[str]()
    if written.damaged:
        told.append(f"{where}: {written.damaged} pictures are damaged; they hold no reading.")
    if written.implausible:
        told.append(
            f"{where}: {written.implausible} pictures are no skin in a room (another gain mode or range?); "
            "they hold no reading."
        )
    return told


def _corrected(plan: Plan) -> Corrected:
    """What was done to the temperatures, for the rig file and the report."""
    around, camera = plan.correction.around, plan.correction.camera
    return Corrected(
        source=plan.source.kind,
        reflected_degc=round(around.reflected_degc, 3),
        air_degc=round(around.air.degc, 3),
        humidity=round(around.air.humidity, 3),
        distance_mm=round(around.distance_m * 1000.0, 1),
        camera_emissivity=None if camera is None else camera.emissivity,
        stated_degc=tuple(
            (degc, round(plan.correction.stated_degc(degc, plan.curve), 3)) for degc in SHOWN_DEGC
        ),
    )


def _read_back(aside: Path, out: Path) -> tuple[str, ...]:
    """Open the session as the analysis will; its sentences name the folder where it will stand."""
    try:
        return tuple(text.replace(aside.name, out.name) for text in open_recording(aside).warnings)
    except InputError as trouble:
        raise InputError(
            f"The session could not be read: {str(trouble).replace(aside.name, out.name)}"
        ) from trouble


def _story(plan: Plan, written: Written) -> str:
    """What was done, for whoever finds the folder later."""
    around, camera = plan.correction.around, plan.correction.camera
    lines = [
        f"Imported from {plan.source.where} ({plan.source.kind}), {written.pictures} pictures.",
        f"Corrected for emissivity {around.emissivity:g}, surroundings {around.reflected_degc:g} degC, "
        f"air {around.air.degc:g} degC, humidity {around.air.humidity:g}, "
        f"distance {around.distance_m * 1000:g} mm.",
        "Taken out before: nothing."
        if camera is None
        else f"Taken out before: the camera's own correction for emissivity {camera.emissivity:g} and "
        f"surroundings {camera.reflected_degc:g} degC.",
        *plan.warnings,
    ]
    return "\n".join(lines) + "\n"
