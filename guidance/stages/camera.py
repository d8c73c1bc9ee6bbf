"""Stage: how far the thermal camera is off, by what it shows of references in its picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidance.stages.state import Setup, State
from models.camera_offset import CameraOffset, after_shutter, agreed, looked
from models.capture import ThermalPicture
from models.geometry import Bools
from models.jet_cooling import ROOM_DEGC
from models.radiometry import HOLDS_DAYS, UNFLAGGED_MIN, Calibrated, StatedRadiometry
from models.sightings import Lost, NozzleSighting
from models.treatment import Reference, Treatment
from vision.nozzle_mask import nozzle_mask
from vision.reference_patch import place_of, read_patch
from vision.thermal_watch import degrees

RAW_U95_DEGC = 5.0
"""Accuracy of a raw camera core (Lepton, Boson; domain section 5), taken where no rig says. Such a camera is
advisory only (domain section 8): its bound would stop every treatment, so its estimate is judged."""

EMISSIVITY = 0.98
"""What a camera was set to where no rig says (domain section 2)."""


def accuracy_degc(setup: Setup) -> float:
    """Stated accuracy of the thermal camera, 95 % bound."""
    return setup.rig.thermal.accuracy_degc if setup.rig and setup.rig.thermal else RAW_U95_DEGC


def camera_offset(state: State, setup: Setup) -> CameraOffset:
    """What is known of the camera's offset now, by references in its picture, calibration or claim."""
    return agreed(
        state.references, accuracy_degc=accuracy_degc(setup), calibrated=calibrated_now(state, setup)
    )


def calibrated_now(state: State, setup: Setup) -> Calibrated | None:
    """What calibration with references told of the camera; None where it never was, or too long ago."""
    thermal = setup.rig.thermal if setup.rig else None
    if thermal is None or thermal.radiometry is None:
        return None
    age_days = radiometry_age_days(thermal.radiometry, setup.treatment)
    if age_days > HOLDS_DAYS:
        return None
    now_s = state.t_s if np.isfinite(state.t_s) else 0.0
    closed_s = state.thermal.shutter_s
    open_min = UNFLAGGED_MIN + max(now_s, 0.0) / 60.0 if closed_s is None else (now_s - closed_s) / 60.0
    return Calibrated(thermal.radiometry, thermal.accuracy_degc, age_days, max(open_min, 0.0))


def radiometry_age_days(radiometry: StatedRadiometry, treatment: Treatment) -> float:
    """Days between calibration and session, whichever came first."""
    measured, started = radiometry.measured, treatment.started
    if measured.tzinfo is None or started.tzinfo is None:
        measured, started = measured.replace(tzinfo=None), started.replace(tzinfo=None)
    return abs((started - measured).total_seconds()) / 86400.0


def reference_remark(state: State, setup: Setup) -> str | None:
    """What the operator should know of the references; None where all is well."""
    if not state.references:
        return None
    if camera_offset(state, setup).doubted:
        return "reference contradicts the camera's calibration"
    sight = camera_offset(state, setup).sight
    if sight == "contradicts":
        return "reference contradicts the camera"
    return "reference hidden" if sight == "hidden" else None


def see_references(
    state: State, picture: ThermalPicture, setup: Setup, *, nozzle: NozzleSighting | Lost
) -> State:
    """Hold one thermal picture against the references in it."""
    references = setup.treatment.references
    if not references:
        return state
    calibrated = calibrated_now(state, setup)
    known = state.references or tuple(CameraOffset(accuracy_degc(setup)) for _ in references)
    known = tuple(replace(one, calibrated=calibrated) for one in known)
    if picture.shutter:
        return replace(state, references=tuple(after_shutter(one) for one in known))
    hidden = _hidden(picture, setup, nozzle)
    degc = degrees(picture, floor_centikelvin=state.thermal.floor_centikelvin)
    degc = degc if calibrated is None else calibrated.corrected_degc(degc)
    room_degc = setup.treatment.room_degc

    def look(one: CameraOffset, reference: Reference) -> CameraOffset:
        place = place_of(reference, setup.rig, *picture.centikelvin.shape)
        reading = None
        if place is not None:
            reading = read_patch(
                degc,
                hidden,
                place,
                reference,
                spread=state.thermal.spread,
                camera_emissivity=setup.rig.thermal.emissivity
                if setup.rig and setup.rig.thermal
                else EMISSIVITY,
                room_degc=ROOM_DEGC if room_degc is None else room_degc,
            )
        return looked(one, reading, t_s=picture.t_s)

    return replace(
        state,
        references=tuple(look(one, reference) for one, reference in zip(known, references, strict=True)),
    )


def _hidden(picture: ThermalPicture, setup: Setup, nozzle: NozzleSighting | Lost) -> Bools:
    """Pixels that show nozzle or hand."""
    rig = setup.rig
    if rig is None or rig.thermal is None:
        return np.zeros(picture.centikelvin.shape, np.bool_)
    return nozzle_mask(rig.thermal.camera, rig.thermal.thermal_from_rgb, rig, nozzle)
