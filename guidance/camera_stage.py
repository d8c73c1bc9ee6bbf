"""Stage: how far the thermal camera is off, by what it shows of references in its picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidance.state import Setup, State
from models.camera_offset import CameraOffset, after_shutter, agreed, looked
from models.capture import ThermalPicture
from models.geometry import Bools
from models.jet_cooling import ROOM_DEGC
from models.sightings import Lost, NozzleSighting
from models.treatment import Reference
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
    """What is known of the camera's offset now; nothing but its accuracy where there is no reference."""
    return agreed(state.references, accuracy_degc=accuracy_degc(setup))


def reference_remark(state: State, setup: Setup) -> str | None:
    """What the operator should know of the references; None where all is well."""
    if not state.references:
        return None
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
    known = state.references or tuple(CameraOffset(accuracy_degc(setup)) for _ in references)
    if picture.shutter:
        return replace(state, references=tuple(after_shutter(one) for one in known))
    hidden = _hidden(picture, setup, nozzle)
    degc = degrees(picture, floor_centikelvin=state.thermal.floor_centikelvin)
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
