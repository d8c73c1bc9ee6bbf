"""``cryoguide calibrate jet``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from calibration.burst import camera_words, read_burst
from calibration.jet import SURFACES, JetFound, find_jet, flow_w_m2
from calibration.jet_part import jet_part
from calibration.relied import relied_rig
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables
from models.catalogue import find, load_devices
from models.jet_profile import PARAMETERS, JetProfile
from models.problems import InputError
from vision.source import open_source


def calibrate_jet(options: argparse.Namespace, now: datetime) -> bool:
    """Solve, tell, and write ``[jet]`` into the rig.

    Raises:
        InputError: If recordings or rig cannot be read, or lack what a jet is calibrated with.
    """
    path = cast(Path, options.rig)
    tables = read_tables(path)
    _, rig, wider = relied_rig(path, now=now, step="jet")
    sources = [open_source(recording) for recording in cast("list[Path]", options.recordings)]
    names = {source.treatment.device or options.device or "" for source in sources}
    if len(names) > 1:
        raise InputError(
            f"The recordings are of several devices ({', '.join(sorted(names))}); give those of one."
        )
    if "" in names:
        raise InputError("The recordings do not say which device blows; say it with --device.")
    if options.device is not None and names != {options.device}:
        raise InputError(
            f"The recordings are of the device {', '.join(names)}, not {options.device}; leave --device out,"
            " or give recordings of it."
        )
    device = find(load_devices(), names.pop(), what="device")
    effusivity, share = SURFACES[options.surface]
    if options.effusivity is not None:
        effusivity, share = options.effusivity, 0.1
    if options.effusivity_u95 is not None:
        share = options.effusivity_u95
    bursts = [read_burst(source, rig) for source in sources]
    bore_mm = rig.nozzle.bore_mm if rig.nozzle is not None else device.bore_mm
    found = find_jet(bursts, device, bore_mm=bore_mm, effusivity=effusivity, effusivity_u95=share)
    camera = (*camera_words(rig, sources[0].treatment.started), *wider)
    print("\n".join([*told(found), *camera]))
    if found.refusal is not None or found.profile is None or found.fit is None:
        print(f"REFUSED. {found.refusal}")
        return False
    print(
        f"Accepted for {device.title}: it replaces the profile of the class wherever this rig is used"
        " with it."
    )
    tables["jet"] = table_of_jet(found.profile)
    target = cast("Path | None", options.out) or path
    part = jet_part(found, found.fit, found.profile, effusivity=effusivity, effusivity_u95=share)
    part = replace(part, facts=(*part.facts, *camera))
    return replace_rig(target, tables, now=now, force=options.force, part=part)


def table_of_jet(profile: JetProfile) -> Toml:
    """``[jet]`` as `models.jet_profile_file` reads it."""
    keys = (
        "half_mm",
        "spread",
        "film_w_m2k",
        "distance_mm",
        "power",
        "gas_degc",
        "from_mm",
        "to_mm",
        "within_factor",
    )
    table: Toml = {"device": profile.device}
    table |= {key: float(f"{getattr(profile, key):.7g}") for key in keys}
    if profile.covariance is not None:
        table["covariance"] = covariance_table(PARAMETERS, profile.covariance)
    return table


def told(found: JetFound) -> list[str]:
    """What was found, line by line."""
    head = ("distance, mm", "gas, s", "before, degC", "coldest, degC", "nozzle seen")
    lines = [f"{'recording':24}" + "".join(f"{word:>15}" for word in head)]
    for one, (near, far) in zip(found.bursts, found.distances_mm, strict=True):
        row = (
            f"{near:.0f} to {far:.0f}",
            f"{one.blown_s:.1f}",
            f"{float(np.median(one.before_degc)):.1f}",
            f"{float(np.nanmin(one.degc)):.1f}",
            f"{100.0 * one.seen:.0f} %",
        )
        lines.append(f"{one.name[:23]:24}" + "".join(f"{word:>15}" for word in row))
    lines += [
        f"{one.name}: {one.strays} thermal pictures before the gas showed something else and were left out."
        for one in found.bursts
        if one.strays
    ]
    if found.profile is None or found.fit is None:
        return lines
    for one, (on_s, off_s) in zip(found.bursts, found.fit.lags_s.tolist(), strict=True):
        lines.append(
            f"{one.name}: the surface was blown on from {on_s:+.2f} s after gas was told until {off_s:+.2f} s"
            " after its end."
        )
    profile, usual = found.profile, found.usual
    lines.append(
        f"{'distance':>10}{'half radius, mm':>22}{'film, W/m2K':>16}{'heat flow into 10 degC, W/m2':>32}"
    )
    for distance in (profile.from_mm, profile.distance_mm, profile.to_mm):
        half = f"{profile.half_radius_mm(distance):.1f} ±{profile.half_u95_mm(distance):.1f}"
        flow = f"{flow_w_m2(profile, distance):.0f} (class: {flow_w_m2(usual, distance):.0f})"
        lines.append(f"{distance:7.0f} mm{half:>22}{profile.film_at_w_m2k(distance):16.0f}{flow:>32}")
    return [
        *lines,
        f"Gas on the axis {profile.gas_degc:.0f} degC, with the film; their heat flow is known to a factor of"
        f" {profile.within_factor:.2f} (95 %), the class' to {usual.within_factor:.1f}.",
        f"What is left over: {found.fit.rms_degc:.2f} degC rms.",
    ]
