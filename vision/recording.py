"""A recorded session folder as a source of captures.

The recording delivers what a live source would have: a thermal or depth picture belongs to the
first capture whose time is not before the picture's arrival.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.cameras_file import LATENCY_S
from models.capture import Capture
from models.geometry import Floats, frozen
from models.problems import InputError
from models.rig import Rig, exposed_thermal_s
from models.rig_file import read_rig
from models.treatment import Reference, Treatment
from models.treatment_file import StreamNames, check_reference, read_references, read_treatment
from vision.files import sha256_of
from vision.playback import Arrivals, play
from vision.rig_streams import Colour, open_colour, open_depth, open_thermal
from vision.streams import Stack

MAX_GAP_S = 3600.0
"""A longer jump in one stream is a wrong time stamp: no protocol lasts longer than 30 minutes."""


@dataclass(frozen=True, eq=False)
class Recording:
    """An opened session folder, checked as far as that is possible without decoding it all."""

    folder: Path
    name: str
    treatment: Treatment
    rig: Rig | None
    """None: there is no rig.toml, hence no millimetres."""
    warnings: tuple[str, ...]
    """One sentence for each thing that was worked around."""
    width_px: int | None
    """Of the colour picture as shown; None in a thermal-only session."""
    height_px: int | None
    colour: Colour | None
    thermal: Stack | None
    depth: Stack | None
    thermal_times_s: Floats
    """Exposures on the session clock, the rig's offset added; empty without thermal stream."""
    thermal_latency_s: float
    picture_files: tuple[Path, ...] = ()
    """The files that hold colour and thermal pictures: what this recording is, whatever is said about it."""

    @property
    def has_thermal(self) -> bool:
        """Whether there is a thermal stream."""
        return self.thermal is not None

    @property
    def has_depth(self) -> bool:
        """Whether there is a depth stream that the rig can place."""
        return self.depth is not None

    @property
    def frames(self) -> int:
        """Number of colour pictures (rows of the csv)."""
        return 0 if self.colour is None else len(self.colour.t_s)

    @property
    def rgb_times_s(self) -> Floats:
        """Times of the colour pictures, empty in a thermal-only session."""
        return np.zeros(0) if self.colour is None else self.colour.t_s

    @property
    def duration_s(self) -> float:
        """Time of the last colour picture or arrival on the session clock."""
        ends = [float(t_s[-1]) for t_s in (self.rgb_times_s, *self.arrivals_s()) if len(t_s)]
        return max(0.0, *ends)

    @property
    def rig_sha256(self) -> str | None:
        """Checksum of the rig file; None where there is none."""
        return sha256_of(self.folder / "rig.toml") if self.rig else None

    def attached(self, name: str) -> bytes | None:
        """A file of the folder, such as ``checklist.toml``; None where there is none.

        Raises:
            OSError: If it cannot be read.
        """
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def captures(self) -> Iterator[Capture]:
        """Play the session from its beginning; may be called again.

        Raises:
            InputError: If a file turns out to be damaged inside.
        """
        thermal_s, depth_s = self.arrivals_s()
        return play(
            colour_s=self.rgb_times_s,
            colour=iter(()) if self.colour is None else self.colour.pictures(),
            thermal=None
            if self.thermal is None
            else Arrivals(self.thermal.read(), thermal_s, self.thermal_times_s, self.thermal.flag),
            depth=None
            if self.depth is None
            else Arrivals(self.depth.read(), depth_s, self.depth.t_s, self.depth.flag),
            valve_s=self.treatment.valve_s,
        )

    def arrivals_s(self) -> tuple[Floats, Floats]:
        """When each thermal and each depth picture arrived, on the session clock.

        The rig format has no latency for depth: the thermal default is taken.
        """
        depth_s = np.zeros(0) if self.depth is None else self.depth.t_s + LATENCY_S
        return self.thermal_times_s + self.thermal_latency_s, depth_s


def open_recording(folder: Path) -> Recording:
    """Open a session folder and check everything that can be checked before work starts.

    Args:
        folder: The session folder; see the interchange format.

    Raises:
        InputError: If it is not a session folder, or anything in it is bad.
    """
    name = Path(os.path.realpath(folder)).name  # a link that leads back to itself has one too
    if folder.exists() and not os.access(folder, os.R_OK | (os.X_OK if folder.is_dir() else 0)):
        raise InputError(f"{folder} may not be read; check its permissions.")
    if folder.is_file():
        raise InputError(f"{folder} is a file; give a session folder or a recording (.mcap).")
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; give the path of a session folder.")
    if not (folder / "session.toml").exists():
        raise InputError(
            f"{folder} is not a session folder: it holds no session.toml; give the folder that does."
        )
    header = read_treatment(_text(folder / "session.toml", name), where=f"{name}/session.toml")
    warnings = list(header.warnings)
    rig = None
    if (folder / "rig.toml").exists():
        rig, told = read_rig(_text(folder / "rig.toml", name), where=f"{name}/rig.toml")
        warnings += told
    else:
        warnings.append(
            f"{name}/rig.toml is missing: the zone is placed in pixels, without distance, area or dwell."
        )
    names = header.streams or _usual_names(folder, name, warnings)
    colour = None if names.rgb is None else open_colour(folder, name, names.rgb, rig, warnings)
    thermal = None if names.thermal is None else open_thermal(folder, name, names.thermal, rig, warnings)
    depth = None if names.depth is None else open_depth(folder, name, names.depth, rig, warnings)
    exposed_s = np.zeros(0)
    if thermal is not None:
        exposed_s = exposed_thermal_s(rig.thermal, thermal.t_s) if rig and rig.thermal else thermal.t_s
    if depth is not None and rig is not None and rig.depth is not None and rig.depth.clock is not None:
        depth = replace(depth, t_s=frozen(rig.depth.clock.session_s(depth.t_s)))
    recording = Recording(
        folder=folder,
        name=name,
        treatment=header.treatment,
        rig=rig,
        warnings=tuple(warnings),
        width_px=colour.width_px if colour else None,
        height_px=colour.height_px if colour else None,
        colour=colour,
        thermal=thermal,
        depth=depth,
        thermal_times_s=frozen(exposed_s),
        thermal_latency_s=rig.thermal.latency_s if rig and rig.thermal else LATENCY_S,
        picture_files=tuple(folder / file for file in (names.rgb, names.thermal) if file is not None),
    )
    _check_streams(recording)
    _check_taps(recording)
    _check_references(recording)
    told = (*_valve_warnings(recording), *_tap_warnings(recording))
    return replace(recording, warnings=(*recording.warnings, *told))


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise InputError(f"{name}/{path.name} is not UTF-8 text; write it with a text editor.") from trouble
    except OSError as trouble:
        raise InputError(
            f"{name}/{path.name} cannot be read ({trouble.strerror}); check its permissions."
        ) from trouble


def _usual_names(folder: Path, name: str, warnings: list[str]) -> StreamNames:
    usual = {"rgb": "rgb.mp4", "thermal": "thermal.npz", "depth": "depth.npz"}
    found = {key: file if (folder / file).exists() else None for key, file in usual.items()}
    told = ", ".join(file for file in found.values() if file) or "none"
    warnings.append(
        f"{name}/session.toml has no table [streams]; files of the usual names are taken: {told}."
    )
    return StreamNames(**found)


def _check_streams(recording: Recording) -> None:
    name, treatment = recording.name, recording.treatment
    if recording.colour is None:
        if recording.thermal is None:
            raise InputError(f"{name}/session.toml names neither colour nor thermal; add them to [streams].")
        if not any(tap.stream == "thermal" for tap in treatment.taps):
            raise InputError(
                f"{name} has no colour video and no outline tapped in the thermal picture, so the zone "
                'cannot be placed; add rgb or a [[tap]] with stream = "thermal" to session.toml.'
            )
    thermal_s, depth_s = recording.arrivals_s()
    rgb_s = recording.rgb_times_s
    for stream, t_s in (("rgb", rgb_s), ("thermal", thermal_s), ("depth", depth_s)):
        jump = np.flatnonzero(np.diff(t_s) > MAX_GAP_S)
        if len(jump):
            raise InputError(
                f"{name}: the {stream} times jump by more than an hour after {t_s[jump[0]]:g} s; "
                "times must be seconds on one session clock."
            )
        if stream != "rgb" and len(t_s) and len(rgb_s) and (t_s[0] > rgb_s[-1] or t_s[-1] < rgb_s[0]):
            raise InputError(
                f"{name}: the {stream} pictures ({t_s[0]:g} to {t_s[-1]:g} s) and the colour ones "
                f"({rgb_s[0]:g} to {rgb_s[-1]:g} s) do not meet in time; "
                "check the stamps and rgb_minus_thermal_s."
            )


def _check_taps(recording: Recording) -> None:
    where = f"{recording.name}/session.toml"
    sizes: dict[str, tuple[float, float]] = {}
    if recording.width_px and recording.height_px:
        sizes["rgb"] = (recording.width_px, recording.height_px)
    if recording.thermal:
        sizes["thermal"] = (recording.thermal.width_px, recording.thermal.height_px)
    for number, tap in enumerate(recording.treatment.taps, 1):
        if tap.stream not in sizes:
            raise InputError(f"{where}: [[tap]] {number} is of the stream {tap.stream}, which is not there.")
        low, high = tap.outline_px.min(axis=0), tap.outline_px.max(axis=0)
        outside = (low < -0.5).any() or (high > np.array(sizes[tap.stream]) - 0.5).any()
        if outside or not math.isfinite(tap.t_s):
            raise InputError(
                f"{where}: [[tap]] {number} lies outside the {tap.stream} picture; tap the outline again."
            )


def references_of(path: Path | None) -> tuple[Reference, ...] | None:
    """References of known temperature from a file; None where none is named.

    Raises:
        InputError: If it cannot be read.
    """
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({getattr(error, 'strerror', None) or 'it is no text in UTF-8'}); write"
            " [[reference]] as in session.toml."
        ) from error
    return read_references(text, where=str(path))


def _check_references(recording: Recording) -> None:
    where = f"{recording.name}/session.toml"
    colour = (recording.width_px, recording.height_px)
    thermal = (recording.thermal.width_px, recording.thermal.height_px) if recording.thermal else colour
    for number, reference in enumerate(recording.treatment.references, 1):
        if reference.stream == "rgb" and recording.rig is None:
            raise InputError(
                f"{where}: [[reference]] {number} is outlined in the rgb picture, which needs a rig.toml;"
                " outline it in the thermal picture."
            )
        width_px, height_px = thermal if reference.stream == "thermal" else colour
        if width_px is not None and height_px is not None:
            check_reference(reference, (width_px, height_px), number=number, where=where)


def _valve_warnings(recording: Recording) -> list[str]:
    intervals = recording.treatment.valve_s or ()
    outside = [
        f"{start:g} to {end:g} s" for start, end in intervals if start > recording.duration_s or end < 0
    ]
    where = f"{recording.name}/session.toml"
    return [f"{where}: the valve interval {interval} lies outside the recording." for interval in outside]


def _tap_warnings(recording: Recording) -> list[str]:
    """Outlines that come too late: until then nothing places the zone by them."""
    where, end_s = f"{recording.name}/session.toml", recording.duration_s
    gas_end_s = max((end for _, end in recording.treatment.valve_s or ()), default=math.inf)
    told: list[str] = []
    for number, tap in enumerate(recording.treatment.taps, 1):
        if tap.t_s > end_s:
            late = f"after the end of the recording ({end_s:g} s): it places nothing"
        elif tap.t_s > gas_end_s:
            late = f"after the last gas ({gas_end_s:g} s): no gas counts on the zone that it outlines"
        else:
            continue
        told.append(f"{where}: [[tap]] {number} is at {tap.t_s:g} s, {late}; check its t_s.")
    return told
