"""A made-up session on a curved piece of skin, what overlay and report are drawn from; a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from guidance.outcome import Outcome, PixelCells, Poster, Trace, Verdicts
from guidance.overlay.mesh import cell_mesh
from guidance.session import Alarm, Guidance, JetOnSkin
from models.camera import Camera
from models.catalogue import load_devices, load_protocols, load_zones
from models.chart import PixelZone, PlacedChart, ZoneChart
from models.exposure import ExposureMap, SkinTemperature
from models.geometry import Bytes, Floats, Pose
from models.protocol import Protocol
from models.rig import Nozzle, Rig, Tags, ThermalCamera
from models.sightings import Lost, NozzleSighting
from models.treatment import Treatment
from models.verdict import coverage_pct, verdict_area_cm2, verdicts
from models.zone import Zone
from tests.chromium import Browser

NAN = float("nan")
RADIUS_MM, DEEP_MM = 110.0, 700.0
"""A cylinder across the picture, its nearest line so far from the camera."""
NO_DISTORTION = np.zeros(5)


@dataclass(frozen=True)
class Scene:
    """Everything that does not change over the made-up session."""

    rig: Rig
    protocol: Protocol
    zone: Zone
    chart: ZoneChart
    picture: Bytes
    alarms: tuple[Alarm, ...] = field(default_factory=tuple)

    def exposure(self) -> ExposureMap:
        """A treated spot with a cold core, a blind patch beside it, a strip never observed."""
        u, v = self.chart.u_mm, self.chart.v_mm
        dwell_s = 34.0 * np.exp(-((u - 10.0) ** 2 + v**2) / 30.0**2)
        low = 33.0 - 31.6 * np.exp(-((u - 10.0) ** 2 + v**2) / 25.0**2)
        low[u < -120.0] = NAN
        blind_s = np.where((u + 60.0) ** 2 + (v - 10.0) ** 2 < 20.0**2, 0.8, 0.0)
        seen_s = np.where(np.isfinite(low), 14.0, 0.0)
        zero = np.zeros(len(u))
        return ExposureMap(
            dwell_s,
            blind_s,
            low,
            np.where(np.isfinite(low), 0.9, NAN),
            zero,
            zero,
            zero,
            zero,
            seen_s,
            blind_s,
        )

    def placed(self, **changes: object) -> PlacedChart:
        """The chart where it was at the start."""
        return replace(PlacedChart(self.chart, Pose.identity(), "placed", 2.0), **changes)

    def guidance(self, **changes: object) -> Guidance:
        """One step in the middle of the treatment."""
        exposure, n = self.exposure(), len(self.chart)
        hit = np.array([10.0, 0.0, DEEP_MM])
        tip = hit - np.array([0.0, 0.0, 150.0])
        sighting = NozzleSighting(
            8.0, Pose.of(np.eye(3), tip), np.eye(6) * 0.1, tip, tags_used=4, state="tracked"
        )
        weight = np.exp(-((self.chart.u_mm - 10.0) ** 2 + self.chart.v_mm**2) / 20.0**2)
        weight[weight < 0.01] = 0.0
        seen = np.isfinite(exposure.min_degc)
        skin = SkinTemperature(exposure.min_degc, exposure.min_u95_degc, seen, np.where(seen, 7.95, NAN))
        base = Guidance(
            t_s=8.0, dt_s=1 / 15, index=120, gas_now=True, nozzle=sighting, zone=self.placed(),
            jet=JetOnSkin(hit, 150.0, 4.0, 8.0, None, True, 3.0), jet_reason="", weight=weight,
            exposure=exposure, skin=skin, blind=np.zeros(n, bool), skin_min_degc=12.3,
            skin_min_u95_degc=0.9, time_to_limit_s=7.5, tile_time_s=np.array([12.0, 4.0]), gas_total_s=16.0,
            unassigned_s=0.8, landmarks=None, tag_patches=(), active=(), ended=(), status=(),
            zone_mean_degc=28.0, zone_observed_share=0.9,
        )  # fmt: skip
        return replace(base, **changes)

    def lost(self, **changes: object) -> Guidance:
        """The same step with nothing seen while gas flows."""
        blind = (self.chart.u_mm - 10.0) ** 2 + self.chart.v_mm**2 < 50.0**2
        gone = Lost("no tag in the picture", since_s=7.4)
        unseen = self.guidance(
            nozzle=gone, jet=None, jet_reason="nozzle not seen", weight=None, blind=blind,
            skin_min_degc=None, skin_min_u95_degc=None, time_to_limit_s=None,
        )  # fmt: skip
        return replace(unseen, **changes)

    def pixel_zone(self) -> PixelZone:
        """A zone without a rig."""
        outline = np.array([[500.0, 250.0], [760.0, 250.0], [760.0, 450.0], [500.0, 450.0]])
        return PixelZone("rgb", outline, "tap", "placed")

    def trace(self) -> Trace:
        """20 s at 15 pictures a second: gas from 1 to 16 s, nozzle lost from 6 to 7 s, shutter at 11 s."""
        t_s = np.arange(300) / 15.0
        gas, away, shut = (
            (t_s >= 1.0) & (t_s < 16.0),
            (t_s >= 6.0) & (t_s < 7.0),
            (t_s >= 11.0) & (t_s < 11.6),
        )
        cooling = np.clip((t_s - 1.0) / 15.0, 0.0, 1.0)
        after = np.maximum(t_s - 16.0, 0.0)
        low = 33.0 - 31.6 * cooling + 14.0 * (1.0 - np.exp(-after / 3.0))
        mean = 33.0 - 5.0 * cooling + 2.0 * (1.0 - np.exp(-after / 6.0))
        distance = 150.0 + 25.0 * np.sin(t_s)

        def unless(unseen: np.ndarray, values: Floats) -> Floats:
            return np.where(unseen, NAN, values)

        nothing = np.full((300, 3), NAN)
        return Trace(
            t_s=t_s, is_colour=np.ones(300, bool), gas=gas,
            nozzle_state=tuple("lost" if lost else "tracked" for lost in away),
            tags_used=unless(away, np.full(300, 4.0)), tip_rgb_mm=nothing, axis_rgb=nothing,
            tip_u95_mm=unless(away, np.full(300, 1.5)), distance_mm=unless(away, distance),
            distance_u95_mm=unless(away, np.full(300, 4.0)), incidence_deg=unless(away, np.full(300, 8.0)),
            zone_state=tuple("held" if 13.0 <= t < 14.0 else "placed" for t in t_s),
            skin_min_degc=unless(shut, low), skin_min_u95_degc=unless(shut, np.full(300, 0.9)),
            time_to_limit_s=np.full(300, NAN), zone_mean_degc=unless(shut, mean),
            zone_observed_share=np.where(shut, 0.0, 0.93),
            status=tuple(("shutter",) if closed else () for closed in shut),
        )  # fmt: skip

    def outcome(self, **changes: object) -> Outcome:
        """The whole session."""
        exposure, chart = self.exposure(), self.chart
        tile_time_s = np.array([12.0, 4.0])
        words, causes = verdicts(exposure, chart, protocol=self.protocol, tile_time_s=tile_time_s)
        corners = self.rig.rgb.project(cell_mesh(chart).corner_mm)
        treatment = Treatment(
            datetime(2026, 11, 23, 10, tzinfo=UTC), "lumbar", "both", "ln2-wand", "ln2-analgesia", "A-017",
            1700.0, 23.0, ((1.0, 16.0),), (),
        )  # fmt: skip
        summary: dict[str, object] = {
            "schema": "cryoguide.summary/1",
            "version": "0.1.0",
            "hashes": {"rig": "ab" * 32, "protocol": "cd" * 32, "models": None},
            "coverage_pct": coverage_pct(exposure, chart, protocol=self.protocol),
            "overexposed_cm2": verdict_area_cm2(words, chart, name="overexposed"),
            "unknown_cm2": verdict_area_cm2(words, chart, name="unknown"),
            "peak_dwell_cm2_s": 33.1,
            "min_degc": 1.4,
            "min_u95_degc": 0.9,
            "tracked_pct": 95.0,
            "unassigned_s": 0.8,
            "gas_s": 15.0,
            "tile_time_s": [12.0, 4.0],
        }
        alarms = (
            Alarm("distance", "physiological", "medium", "Nozzle too near: move away.", 3.0, 4.0),
            Alarm("nozzle_lost", "technical", "high", "Nozzle not seen: turn the collar.", 6.5, 7.0),
            Alarm("skin_temperature", "physiological", "high", "STOP: skin at 1.4 °C.", 15.8, None),
        )
        base = Outcome(
            name="made-up", treatment=treatment, zone=self.zone, protocol=self.protocol,
            device=load_devices()["ln2-wand"], rig=self.rig, duration_s=20.0, chart=chart, pixel_cells=None,
            exposure=exposure, verdicts=Verdicts(words, causes), trace=self.trace(), alarms=alarms,
            poster=Poster(0.0, self.picture, self.rig.rgb.project(chart.position_mm), corners),
            gas_stopped_s=16.0, summary=summary, warnings=("One picture could not be decoded.",),
        )  # fmt: skip
        return replace(base, **changes)

    def cold_hand(self) -> Outcome:
        """A thermal-only session without a rig: a zone in pixels that rewarms for 39 minutes."""
        y, x = np.mgrid[40:80:2, 60:110:2]
        centre = np.stack([x.ravel(), y.ravel()], axis=1).astype(float)
        low = 18.7 + 0.02 * (centre[:, 0] - 60.0)
        low[centre[:, 0] > 104.0] = NAN
        n, rows = len(centre), 40
        zero, nothing = np.zeros(n), np.full(rows, NAN)
        t_s = np.arange(rows, dtype=float) * 60.0
        trace = Trace(
            t_s=t_s, is_colour=np.zeros(rows, bool), gas=np.zeros(rows, bool), nozzle_state=("lost",) * rows,
            tags_used=nothing, tip_rgb_mm=np.full((rows, 3), NAN), axis_rgb=np.full((rows, 3), NAN),
            tip_u95_mm=nothing, distance_mm=nothing, distance_u95_mm=nothing, incidence_deg=nothing,
            zone_state=("placed",) * rows, skin_min_degc=np.asarray(18.4 + t_s / 600.0, np.float64),
            skin_min_u95_degc=np.full(rows, 2.0), time_to_limit_s=nothing,
            zone_mean_degc=18.71 + 5.6 * (1.0 - np.exp(-t_s / 1200.0)),
            zone_observed_share=np.full(rows, 0.9), status=((),) * rows,
        )  # fmt: skip
        exposure = ExposureMap(zero, zero, low, zero + 2.0, zero, zero, zero, zero, zero + 2340.0, zero)
        unknown = dict.fromkeys(("coverage_pct", "overexposed_cm2", "unknown_cm2", "peak_dwell_cm2_s"))
        return self.outcome(
            rig=None, chart=None, verdicts=None, poster=None, gas_stopped_s=None, alarms=(), trace=trace,
            duration_s=2340.0, exposure=exposure, pixel_cells=PixelCells("thermal", centre, np.ones(n, bool)),
            summary={**unknown, "version": "0.1.0", "min_degc": 18.7, "min_u95_degc": 2.0, "gas_s": 0.0},
        )  # fmt: skip


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    """Started once for all that look at a page: each start costs seconds."""
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def browser(one_browser: Browser) -> Iterator[Browser]:
    """The browser, without pages of others; each page it opens has a profile of its own."""
    yield one_browser
    one_browser.close_pages()


@pytest.fixture(scope="session")
def scene() -> Scene:
    """A chart of about 3000 cells on a cylinder, seen square on at 720p."""
    rgb = Camera(1280, 720, 1000.0, 1000.0, 639.5, 359.5, NO_DISTORTION)
    thermal = Camera(256, 192, 270.0, 270.0, 127.5, 95.5, NO_DISTORTION)
    tags = Tags("DICT_APRILTAG_36h11", np.array([0]), np.zeros((1, 4, 3)))
    rig = Rig(
        created=datetime(2026, 11, 20, tzinfo=UTC), rgb=rgb, transfer="srgb", rgb_rms_px=0.18,
        thermal=ThermalCamera(thermal, Pose.identity(), 0.0, 0.05, 2.0, 0.98), depth=None,
        nozzle=Nozzle(tags, 12.0), skin=None,
    )  # fmt: skip
    return Scene(rig, load_protocols()["ln2-analgesia"], load_zones()["lumbar"], _chart(), _picture())


def _chart() -> ZoneChart:
    """Seen from behind: the subject's left is the viewer's left, the head is up."""
    row, col = (a.ravel() for a in np.mgrid[0:48, 0:62])
    u_mm, v_mm = (col - 30.5) * 5.0, (row - 23.5) * 5.0
    angle = u_mm / RADIUS_MM
    normal = np.stack([-np.sin(angle), np.zeros(len(u_mm)), -np.cos(angle)], axis=1)
    position = np.stack([np.zeros(len(u_mm)), -v_mm, np.full(len(u_mm), DEEP_MM + RADIUS_MM)], axis=1)
    position = position + RADIUS_MM * normal
    inside = (u_mm / 95.0) ** 2 + (v_mm / 70.0) ** 2 < 1.0
    out = inside & ((u_mm - 45.0) ** 2 + (v_mm + 20.0) ** 2 < 15.0**2)
    in_zone = inside & ~out
    return ZoneChart(
        reference_t_s=0.0, anchored_by="landmarks", surface_by="depth", row=row, col=col, u_mm=u_mm,
        v_mm=v_mm,
        position_mm=position, normal=normal, area_cm2=np.full(len(u_mm), 0.25), in_zone=in_zone, left_out=out,
        tile=np.where(in_zone, (v_mm > 0).astype(np.int64), -1), height_u95_mm=np.full(len(u_mm), 2.0),
        place_u95_mm=18.0,
    )  # fmt: skip


def _picture() -> Bytes:
    y, x = np.mgrid[:720, :1280]
    skin = np.stack([150 - y // 24, 175 - y // 24, 225 - x // 64], axis=2)
    return np.where((np.abs(y - 360) < 330)[..., None], skin, 60).astype(np.uint8)
