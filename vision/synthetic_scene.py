"""What a simulated session shows: body, nozzle, cameras, motion and errors, as plain figures.

A scene says what is true (`rgb_from_body`, `rgb_from_nozzle`); `vision.synthetic_rig` says what the product
is told of it. Frame `body`: x across, y along the limb, z into it; its origin is the place of the skin that
faces the camera at rest. Frame `rest`: the body's frame before it moved.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.geometry import Floats, Pose, rotation_from_rvec, unit

SHUTTER_S = 0.5


@dataclass(frozen=True)
class Body:
    """An elliptical cylinder (a cone where it tapers); ``taper`` is its growth a mm of y, as a share."""

    across_mm: float = 60.0
    deep_mm: float = 60.0
    taper: float = 0.0
    half_length_mm: float = 420.0

    def at(self, angle_rad: Floats, y_mm: Floats) -> Floats:
        """Points (..., 3) of the skin, body frame; angle 0 faces the camera, x grows with it."""
        wide = 1.0 + self.taper * y_mm
        x = self.across_mm * wide * np.sin(angle_rad)
        return np.stack([x, y_mm + 0.0 * x, self.deep_mm * (1.0 - wide * np.cos(angle_rad))], axis=-1)

    def normal(self, points_mm: Floats) -> Floats:
        """Outward unit normals at points (..., 3) of the skin."""
        x, y, z = np.moveaxis(points_mm, -1, 0)
        along = -self.taper * (1.0 + self.taper * y)
        return unit(np.stack([x / self.across_mm**2, along, (z - self.deep_mm) / self.deep_mm**2], axis=-1))

    def meet(self, origin_mm: Floats, ray: Floats) -> float | None:
        """How far along a ray, in its lengths, it first meets the skin."""
        scale = np.array([1.0 / self.across_mm, 0.0, 1.0 / self.deep_mm])
        p, d = (origin_mm - [0.0, 0.0, self.deep_mm]) * scale, ray * scale
        wide, grows = 1.0 + self.taper * origin_mm[1], self.taper * ray[1]
        a, b, c = d @ d - grows**2, p @ d - wide * grows, p @ p - wide**2
        square = b * b - a * c
        along = (-b - np.sqrt(square)) / a if square > 0.0 and a > 0.0 else -1.0
        return float(along) if along > 0.0 else None

    def arcs(self) -> tuple[Floats, Floats]:
        """Arc length (at y = 0, from angle 0) on a fine grid of angles from -pi to pi."""
        angle = np.linspace(-np.pi, np.pi, 1441)
        speed = np.hypot(self.across_mm * np.cos(angle), self.deep_mm * np.sin(angle))
        arc = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2.0 * np.diff(angle))])
        return angle, arc - arc[len(arc) // 2]

    def skin(self, arc_mm: Floats, y_mm: Floats) -> Floats:
        """Points (..., 3) of the skin by arc length (at y = 0) and y."""
        angle, arc = self.arcs()
        return self.at(np.interp(arc_mm, arc, angle), np.asarray(y_mm, float))


@dataclass(frozen=True)
class Motion:
    """How the body moves, as a whole: never bent, never stretched."""

    breath_mm: float = 2.0
    """Towards the camera and back, to each side of rest."""
    breath_s: float = 3.7
    drift_mm_s: tuple[float, float, float] = (0.1, 0.2, 0.0)
    turn_deg: float = 0.5
    """About the limb's axis, to each side of rest, in 11 s."""
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """A sudden shift: body frame, from ``shift_at_s`` on."""
    shift_at_s: float = 0.0
    shift_takes_s: float = 0.1

    def rest_from_body(self, t_s: float, *, deep_mm: float) -> Pose:
        """Where the body is at a time; turns are about the middle of the limb."""
        breath = self.breath_mm * np.array([0.0, 0.0, -np.sin(2.0 * np.pi * t_s / self.breath_s)])
        share = np.clip((t_s - self.shift_at_s) / max(self.shift_takes_s, 1e-6), 0.0, 1.0)
        moved = breath + t_s * np.array(self.drift_mm_s) + share * np.array(self.shift_mm)
        turn = np.radians(self.turn_deg) * np.sin(2.0 * np.pi * t_s / 11.0)
        rotation, middle = rotation_from_rvec(np.array([0.0, turn, 0.0])), np.array([0.0, 0.0, deep_mm])
        return Pose.of(rotation, middle - rotation @ middle + moved)


@dataclass(frozen=True)
class Sweep:
    """How the nozzle is led: its spot runs over the skin at rest, the hand does not follow the body."""

    half_across_mm: float = 25.0
    half_along_mm: float = 35.0
    across_s: float = 5.3
    along_s: float = 3.1
    rests_from_s: float = np.inf
    """From then on the spot stands still."""
    distance_mm: float = 100.0
    lean_deg: float = 35.0
    """Of the jet against the line straight into the skin; the handle is then at ``aside_deg`` (0 = +x)."""
    aside_deg: float = -20.0
    roll_deg: float = 17.0
    tremor_mm: float = 0.5

    def rest_from_nozzle(self, t_s: float, body: Body) -> Pose:
        """Pose of the nozzle over the body at rest."""
        led_s = min(t_s, self.rests_from_s)
        across = self.half_across_mm * np.sin(2.0 * np.pi * led_s / self.across_s)
        along = self.half_along_mm * np.sin(2.0 * np.pi * led_s / self.along_s)
        shakes = self.tremor_mm * np.sin(2.0 * np.pi * t_s * np.array([2.9, 3.7, 2.3]) + [0.0, 1.0, 2.0])
        lean = np.radians(self.lean_deg + 2.0 * np.sin(2.0 * np.pi * t_s / 4.1))
        aside = np.radians(self.aside_deg + 4.0 * np.sin(2.0 * np.pi * t_s / 6.3))
        back = np.array([np.sin(lean) * np.cos(aside), np.sin(lean) * np.sin(aside), -np.cos(lean)])
        side = unit(np.cross(back, [0.0, 1.0, 0.0]))
        upright = np.stack([side, np.cross(-back, side), -back], axis=1)
        roll = np.radians(self.roll_deg + 8.0 * np.sin(2.0 * np.pi * t_s / 7.7))
        rotation = upright @ rotation_from_rvec(np.array([0.0, 0.0, roll]))
        return Pose.of(rotation, body.skin(across, along) + self.distance_mm * back + shakes)


@dataclass(frozen=True)
class Cover:
    """Something that lies over nozzle tags for a while."""

    tags: tuple[int, ...]
    kind: str = "finger"
    """``finger`` hides a share of each tag's width, ``frost`` takes that share of its contrast."""
    share: float = 1.0
    from_s: float = 0.0
    to_s: float = np.inf


@dataclass(frozen=True)
class SkinTag:
    """A tag stuck on the skin, bent with it; its middle by arc length and y, turned about the normal."""

    number: int
    arc_mm: float
    y_mm: float
    turn_deg: float = 0.0


@dataclass(frozen=True)
class Errors:
    """In what the rig that the product is told differs from the real one; and what goes wrong."""

    focal_pct: float = 0.0
    """The stated focal length of the colour camera is so much too long."""
    tag_placement_mm: float = 0.0
    """Standard deviation by which each real nozzle tag is shifted, and its corners by its tilt."""
    thermal_turn_deg: float = 0.0
    """The real thermal camera is turned about its own y axis, from ``thermal_turn_from_s`` on."""
    thermal_turn_from_s: float = -np.inf
    thermal_lag_s: float = 0.0
    """Thermal pictures are said to be so much later than they really are."""
    skin_tag_size_pct: float = 0.0
    """Skin tags are said to be so much larger than they are."""
    thermal_stuck_s: tuple[float, float] | None = None
    thermal_missing_s: tuple[float, float] | None = None
    shutter_s: tuple[float, ...] = ()
    """Starts of shutter events of 0.5 s."""
    camera_off_degc: float = 0.0
    """The thermal camera reads so much too warm at the start."""
    camera_drift_degc_s: float = 0.0
    shutter_step_degc: float = 0.0
    """So much is added at the end of each shutter event."""
    camera_gain: float = 0.0
    """It reads so much more of each degree away from 30 degC."""

    def camera_reads_too_warm_degc(self, t_s: float, degc: Floats) -> Floats:
        """How much the thermal camera adds to true temperatures of any shape."""
        steps = sum(t_s >= start_s + SHUTTER_S for start_s in self.shutter_s)
        off = self.camera_off_degc + self.camera_drift_degc_s * t_s + self.shutter_step_degc * steps
        return off + self.camera_gain * (degc - 30.0)


@dataclass(frozen=True)
class Patch:
    """A square of known temperature, fixed in the thermal picture."""

    centre_px: tuple[float, float] = (40.0, 160.0)
    """At a scene's size of 1."""
    half_px: float = 14.0
    degc: float = 30.0
    """What it really has."""
    stated_off_degc: float = 0.0
    """What it is said to have, less that."""
    u95_degc: float = 0.2
    hidden_s: tuple[float, float] | None = None
    """Somebody stands before it and all round it."""
    hidden_degc: float = 31.0


@dataclass(frozen=True)
class TrueJet:
    """A jet that is not as its class is: half radius, film and gas by distance."""

    half_mm: float = 6.0
    spread: float = 0.1
    film_w_m2k: float = 180.0
    """On the axis, 100 mm from the orifice."""
    power: float = 0.0
    """By which it falls with distance."""
    gas_degc: float = -60.0


LENS = (0.08, -0.17, 0.0004, -0.0003, 0.0)


@dataclass(frozen=True)
class Scene:
    """A whole session; every figure may be changed with `dataclasses.replace`."""

    seconds: float = 10.0
    seed: int = 0
    body: Body = field(default_factory=Body)
    place: Pose = field(
        default_factory=lambda: Pose.of(
            rotation_from_rvec(np.array([0.0, 0.0, -np.pi / 2.0])), np.array([0.0, 30.0, 950.0])
        )
    )
    """``rgb_from_rest``; by default the limb lies across the picture."""
    motion: Motion = field(default_factory=Motion)
    sweep: Sweep = field(default_factory=Sweep)
    covers: tuple[Cover, ...] = ()
    skin_tags: tuple[SkinTag, ...] = ()
    errors: Errors = field(default_factory=Errors)
    gas_s: tuple[float, float] = (0.8, np.inf)
    zone: str = "calf"
    side: str = "left"
    protocol: str = "co2-thermal-shock"
    device: str = "co2"
    outline_mm: tuple[float, float] | None = (45.0, 55.0)
    """Half axes of the outline that the operator taps at the start, across and along; None = no tap."""
    hz: float = 15.0
    thermal_hz: float = 25.0
    depth_hz: float = 4.0
    """0 = no such camera, for both."""
    size: float = 1.0
    """Scales all pictures; 1 = 1280 x 720 colour, 256 x 192 thermal, 640 x 480 depth."""
    lens: tuple[float, float, float, float, float] = LENS
    blur_px: float = 0.6
    noise: float = 1.5
    """Standard deviation of the 8-bit numbers."""
    exposure_s: float = 0.008
    depth_noise_mm: float = 2.0
    depth_holes: float = 0.02
    """Share of the depth picture without a reading."""
    thermal_blur_px: float = 0.7
    thermal_share: float = 0.09
    """Share of the wide surroundings in a thermal pixel (size of source)."""
    thermal_noise_degc: float = 0.06
    thermal_clock_s: float = -0.3
    """Session clock minus the thermal camera's."""
    thermal_latency_s: float = 0.05
    room_degc: float = 23.0
    jet: TrueJet | None = None
    """None: as `vision.synthetic_skin` has it for the device's class."""
    patch: Patch | None = None
    """A reference for the thermal camera."""

    @property
    def times_s(self) -> Floats:
        """Exposures of the colour pictures."""
        return np.arange(round(self.seconds * self.hz)) / self.hz

    def rgb_from_body(self, t_s: float) -> Pose:
        """Where the body really is."""
        return self.place @ self.motion.rest_from_body(t_s, deep_mm=self.body.deep_mm)

    def rgb_from_nozzle(self, t_s: float) -> Pose:
        """Where the nozzle really is."""
        return self.place @ self.sweep.rest_from_nozzle(t_s, self.body)

    def gas_at(self, t_s: float) -> bool:
        """Whether gas flows."""
        return self.gas_s[0] <= t_s < self.gas_s[1]

    def thermal_from_rgb(self, t_s: float) -> Pose:
        """How the thermal camera really stands."""
        errors = self.errors
        turned = np.radians(errors.thermal_turn_deg if t_s >= errors.thermal_turn_from_s else 0.0)
        stated = Pose.of(rotation_from_rvec(np.array([0.005, 0.02, -0.015])), np.array([-48.0, -6.0, -2.0]))
        return Pose.of(rotation_from_rvec(np.array([0.0, turned, 0.0])), np.zeros(3)) @ stated
