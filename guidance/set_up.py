"""A session set up from the catalogue: zone, protocol and device, whether it is recorded or live."""

from __future__ import annotations

from pathlib import Path

from guidance.rig_checked import rig_checked
from guidance.stages.state import Setup
from models.catalogue import find, limits_in_zone, load_devices, load_protocols, load_zones, unsuited
from models.problems import InputError
from models.rig_moved import moved_parts, moved_steps, moved_words, relied_on
from models.zone_side import zone_on_side
from vision.landmarks import BodyEyes
from vision.mcap_recording import McapRecording
from vision.source import Source


def needs_eyes(recording: Source) -> bool:
    """Whether the body must be recognised: the zone is not tapped, and there is a colour picture."""
    return recording.frames > 0 and not recording.treatment.taps


def set_up(recording: Source, *, protocols: Path | None = None, eyes: BodyEyes | None = None) -> Setup:
    """Zone, protocol and device of a recording from the catalogue."""
    treatment = recording.treatment
    if isinstance(recording, McapRecording) and recording.bare:
        raise InputError(
            f"{recording.name} is a recording of bare cameras: nothing was treated; give it to"
            " `cryoguide calibrate`."
        )
    zone = zone_on_side(find(load_zones(), treatment.zone, what="zone"), treatment.side)
    protocol = find(load_protocols(protocols), treatment.protocol, what="protocol")
    if reason := unsuited(protocol, zone):
        raise InputError(f"{recording.name}/session.toml: {reason}")
    rig, checked, started = recording.rig, rig_checked(recording), treatment.started
    moved = moved_parts(checked, rig) if rig is not None else ()
    return Setup(
        treatment=treatment,
        zone=zone,
        protocol=limits_in_zone(protocol, zone),
        device=find(load_devices(), treatment.device, what="device"),
        rig=None if rig is None else relied_on(rig, checked, now=started),
        eyes=eyes,
        thermal_expected=recording.has_thermal,
        colour_expected=recording.frames > 0,
        depth_expected=recording.has_depth,
        hashes={
            "rig": recording.rig_sha256,
            "protocol": protocol.fingerprint,
            "models": eyes.bundle_sha256 if eyes is not None else None,
        },
        moved=moved_steps(moved),
        moved_words=moved_words(moved),
    )
