"""Stage: find the zone's place once, then follow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidance.stages.state import OnSkin, Setup, State
from models.capture import Capture
from models.carry import Carried, carried_tiles, carry_over
from models.chart import PixelZone, ZoneChart, why_unmeasured
from models.deposit import add_blind, add_unseen
from models.exposure import ExposureMap, SkinTemperature
from models.forecast import Cooling
from models.geometry import Floats
from models.mesh import ChartMesh
from models.sightings import Landmarks, Lost, NozzleSighting
from models.skin_track import SkinTrack
from models.treatment import Tap
from models.zone import Zone
from vision.depth import depth_points
from vision.evidence import Evidence
from vision.follow import Witness, begin, follow
from vision.followed import HOLD_S, BodyTrack
from vision.landmarks import LANDMARKS
from vision.pixel_zone import pixel_zone
from vision.placement import HEAD_GUESSED, Placement, place_by_landmarks, place_by_tap

LANDMARK_PICTURES = 3
"""Believed sightings before landmarks place a zone: one picture alone may be wrong."""

LANDMARK_SPREAD = 0.06
"""They must agree within this share of the trunk's length."""

DEPTH_WAIT_S = 3.0
"""The zone is laid without depth if none has come by then: slow depth cameras give two pictures a second."""

LOOKED_FOR_S = 3.0
"""After that long without a body it is looked for at `LOOK_AGAIN_S` only: it costs as much as all else."""

LOOK_AGAIN_S = 0.3

LARGEST = 2.5
"""Times its usual size that a zone may be made by hand (own choice)."""

TAG_SETTLE_S = 0.4
"""Skin tags are averaged this long before a surface is laid through them."""


def see_body(state: State, capture: Capture, setup: Setup) -> tuple[State, Landmarks | Lost | None]:
    """Look for the body where something still depends on it: before the zone is placed, or without a rig."""
    found = capture.seen.landmarks if capture.seen is not None else _looked_for(state, capture, setup)
    if found is None:
        return state, None
    state = replace(state, looked_s=capture.t_s)
    if isinstance(found, Landmarks):
        kept = (*state.landmarks, found)[-8:]
        state = replace(state, landmarks=tuple(s for s in kept if capture.t_s - s.t_s < 2.0))
    return state, found


def _looked_for(state: State, capture: Capture, setup: Setup) -> Landmarks | Lost | None:
    wanted = state.on_skin is None and (setup.rig is None or not _taps(setup, "rgb"))
    if setup.eyes is None or capture.bgr is None or not wanted:
        return None
    tired = capture.t_s > LOOKED_FOR_S and not state.landmarks
    if setup.rig is not None and tired and capture.t_s - state.looked_s < LOOK_AGAIN_S:
        return None
    return setup.eyes.see(capture.bgr, t_s=capture.t_s)


def place_or_follow(state: State, capture: Capture, setup: Setup, found: Landmarks | Lost | None) -> State:
    """The zone's place in this capture."""
    if setup.rig is None:
        return _in_pixels(state, capture, setup, found)
    depth = capture.depth[-1] if capture.depth else None
    nozzle = state.nozzle if isinstance(state.nozzle, NozzleSighting) else None
    known = capture.seen.body if capture.seen is not None else None
    picture = capture.bgr if capture.seen is None else None
    witness = Witness(picture, depth, state.patches, nozzle, known)
    if state.gas_total_s <= 0.0 or state.on_skin is None:
        scenes = [picture for picture in capture.thermal if not picture.shutter]
        state = replace(state, depth=depth or state.depth, scene=scenes[-1] if scenes else state.scene)
    if state.on_skin is not None:
        body = follow(state.on_skin.body, state.on_skin.chart, witness, rig=setup.rig, t_s=capture.t_s)
        return replace(state, on_skin=replace(state.on_skin, body=body))
    if not capture.in_colour:
        return state
    placement = _placement(state, capture, setup)
    if isinstance(placement, str):
        tapped = [tap for tap in _outlines(state, setup) if tap.t_s <= capture.t_s]
        shown = PixelZone("rgb", tapped[-1].outline_px, "tap", "held") if tapped else state.pixel_zone
        return replace(state, waiting_for=placement, pixel_zone=shown)
    chart = placement.chart
    by_hand = state.work.tap is not None
    if by_hand and (why := too_large(placement, setup.zone)):
        return replace(state, pixel_zone=None, work=replace(state.work, tap=None, refused=why))
    state = replace(
        state, work=replace(state.work, drawn=placement) if by_hand else replace(state.work, found=placement)
    )
    body = begin(chart, witness, rig=setup.rig, t_s=capture.t_s)
    on_skin = laid_anew(placement, body, state, setup, t_s=capture.t_s)
    remarks = (*state.remarks, *placement.remarks)
    if why := why_unmeasured(chart, setup.protocol):
        not_given = "Distance and dwell are not given, and areas are rough."
        remarks = (*remarks, f"Distance cannot be measured with this rig: {why}. {not_given}")
    return replace(state, on_skin=on_skin, pixel_zone=None, remarks=remarks, waiting_for="")


def too_large(placement: Placement, zone: Zone) -> str:
    """Why an outline drawn by hand is refused: a slip that would map half a body; empty where it is not."""
    longest_mm = float(np.ptp(placement.outline.polygon_mm, axis=0).max())
    if longest_mm <= LARGEST * max(zone.width_mm, zone.length_mm):
        return ""
    return f"The outline is {longest_mm:.0f} mm long, more than {LARGEST:g} times the zone: draw it smaller."


def laid_anew(placement: Placement, body: BodyTrack, state: State, setup: Setup, *, t_s: float) -> OnSkin:
    """A zone as it is laid in this capture, with what its cells have had before it was placed."""
    chart = placement.chart
    return laid(
        chart,
        body,
        setup,
        exposure=_had_before(placement, state.unassigned_s, setup.carried),
        tile_time_s=_tile_time_before(int(chart.tile.max()) + 1, state.unassigned_s, setup.carried),
        t_s=t_s,
    )


def laid(
    chart: ZoneChart,
    body: BodyTrack,
    setup: Setup,
    *,
    exposure: ExposureMap,
    tile_time_s: Floats,
    t_s: float,
) -> OnSkin:
    """A zone that has just been placed: nothing was seen of jet and temperature yet."""
    n = len(chart)
    unknown = np.full(n, np.nan)
    return OnSkin(
        chart=chart,
        mesh=ChartMesh.of(chart),
        body=body,
        exposure=exposure,
        skin=SkinTemperature(unknown, unknown, np.zeros(n, bool), unknown),
        beside=np.zeros(n, np.bool_),
        between_s=unknown,
        warmer_degc=np.zeros(n),
        cooling=Cooling.unknown(n),
        model=SkinTrack.start(
            n,
            zone=setup.zone.name,
            t_s=t_s,
            room_degc=setup.treatment.room_degc,
            perfusion=setup.perfusion,
        ),
        bounds_degc=np.full((setup.protocol.confirm_pictures, n), np.inf),
        tile_time_s=tile_time_s,
        jet=None,
        forecast=None,
        seen_hit_chart_mm=None,
        seen_hit_s=t_s,
        spot_unobserved_s=0.0,
        sweep=None,
        known=None,
        known_s=np.zeros((3, n)),
        known_jet_s=np.zeros((3, n)),
    )


def _had_before(placement: Placement, unassigned_s: float, carried: Carried | None) -> ExposureMap:
    """What an interrupted session left, and gas of which nobody knows where it went.

    Gas that flowed before the zone was placed may have gone to any cell, and no temperature was seen.
    """
    chart, cells = placement.chart, len(placement.chart)
    exposure, gas_s = ExposureMap.empty(cells), _unplaced_gas_s(unassigned_s, carried)
    if carried is not None and carried.kept is not None:
        exposure = carry_over(carried.kept, chart, perhaps_turned=HEAD_GUESSED in placement.remarks)
    exposure = add_unseen(exposure, reach=np.ones(cells), gas_s=gas_s)
    return add_blind(exposure, cells=np.ones(cells, np.bool_), gas_s=gas_s)


def _tile_time_before(tiles: int, unassigned_s: float, carried: Carried | None) -> Floats:
    gas_s = _unplaced_gas_s(unassigned_s, carried)
    if carried is None or carried.kept is None:
        return np.full(tiles, gas_s)
    return carried_tiles(carried.tile_time_s, tiles=tiles) + gas_s


def _unplaced_gas_s(unassigned_s: float, carried: Carried | None) -> float:
    """Gas that may have gone to any cell: before the zone was placed, and between two recordings."""
    if carried is None:
        return unassigned_s
    unmapped_s = carried.gas_s if carried.kept is None else 0.0
    return unassigned_s - carried.gap_s + carried.gap_gas_s + unmapped_s


def _placement(state: State, capture: Capture, setup: Setup) -> Placement | str:
    """Best evidence first: a tap, else landmarks, says where; depth, else skin tags, says the surface."""
    rig = setup.rig
    if rig is None:
        return "there is no rig"
    evidence = evidence_now(state, capture, setup)
    points = evidence.points
    taps = [tap for tap in _outlines(state, setup) if tap.t_s <= capture.t_s]
    if taps:
        if points is None and _depth_may_come(capture, setup):
            return "no depth picture has come yet"
        if points is None and capture.t_s - taps[-1].t_s < TAG_SETTLE_S:
            return "the skin tags are being measured" if rig.skin else "the surface is being measured"
        return place_by_tap(taps[-1], evidence, zone=setup.zone, rig=rig)
    if _outlines(state, setup):
        return "the zone's outline has not been tapped yet"
    if not _agree(state.landmarks):
        return "the body has not been recognised reliably yet"
    if points is None and _depth_may_come(capture, setup):
        return "no depth picture has come yet"
    return place_by_landmarks(evidence, zone=setup.zone, rig=rig)


def evidence_now(state: State, capture: Capture, setup: Setup) -> Evidence:
    """All that is known of body and skin in this capture.

    Raises:
        ValueError: If there is no rig.
    """
    if setup.rig is None:
        raise ValueError("Without a rig there is no evidence in mm.")
    nozzle = state.nozzle if isinstance(state.nozzle, NozzleSighting) else None
    points = depth_points(state.depth, rig=setup.rig, nozzle=nozzle) if state.depth is not None else None
    return Evidence(
        t_s=state.depth.t_s if state.depth is not None else capture.t_s,
        points=points,
        patches=state.patches,
        thermal=state.scene,
        nozzle=state.nozzle,
        landmarks=state.landmarks,
        subject_height_mm=setup.treatment.subject_height_mm,
    )


def _outlines(state: State, setup: Setup) -> tuple[Tap, ...]:
    """Outlines in the colour picture: as recorded with the session, and as drawn by hand since."""
    return (*_taps(setup, "rgb"), *((state.work.tap,) if state.work.tap is not None else ()))


def _depth_may_come(capture: Capture, setup: Setup) -> bool:
    """Whether to wait for a depth picture: there is a stream of them, and it is not overdue."""
    if setup.rig is None or setup.rig.depth is None or not setup.depth_expected:
        return False
    return capture.t_s < DEPTH_WAIT_S


def _agree(landmarks: tuple[Landmarks, ...]) -> bool:
    """Whether the last sightings tell the same story."""
    if len(landmarks) < LANDMARK_PICTURES:
        return False
    last = landmarks[-LANDMARK_PICTURES:]
    trunk = [LANDMARKS[k] for k in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")]
    places = np.array([s.points_px[trunk] for s in last])
    size = float(np.linalg.norm(places[:, :2].mean((0, 1)) - places[:, 2:].mean((0, 1))))
    spread = float(np.linalg.norm(places - places.mean(0), axis=-1).max())
    return spread <= LANDMARK_SPREAD * max(size, 1.0)


def _in_pixels(state: State, capture: Capture, setup: Setup, found: Landmarks | Lost | None) -> State:
    """Without a rig: the outline in the picture, nothing in millimetres."""
    taps = _outlines(state, setup)
    areas = tuple(area.polygon for area in state.work.areas)
    if taps and capture.t_s >= taps[-1].t_s:
        seen = state.colour_s is not None and capture.t_s - state.colour_s <= HOLD_S
        zone = PixelZone("rgb", taps[-1].outline_px, "tap", "placed" if seen else "held", areas)
        return replace(state, pixel_zone=zone, waiting_for="")
    if not isinstance(found, Landmarks):
        held = state.pixel_zone
        return replace(state, pixel_zone=replace(held, state="held") if held is not None else None)
    outline = pixel_zone(found, zone=setup.zone)
    if outline is None:
        held = state.pixel_zone
        return replace(state, pixel_zone=replace(held, state="held") if held is not None else None)
    zone = PixelZone("rgb", outline, "landmarks", "placed", areas)
    return replace(state, pixel_zone=zone, waiting_for="")


def _taps(setup: Setup, stream: str) -> tuple[Tap, ...]:
    return tuple(tap for tap in setup.treatment.taps if tap.stream == stream)
