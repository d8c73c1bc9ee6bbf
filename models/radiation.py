"""From radiation to temperature: what emissivity, reflection and air do to a thermal picture.

A thermal camera sees ``tau (eps L(object) + (1 - eps) L(reflected)) + (1 - tau) L(air)``, with tau the
transmission of the air, eps the emissivity of the skin and L the signal of a black body in the camera's
band. Everything here turns that equation one way or the other. The skin is cold and what it mirrors is
warm, so a picture that is not corrected reads too warm: the unsafe side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from models.geometry import Floats, frozen

KELVIN = 273.15

# Second radiation constant h c / k, exact since 2019 (CODATA 2018), in um K.
_C2_UM_K = 14387.76877

BAND_UM = (8.0, 14.0)
"""Band of uncooled cameras (microbolometers), as their makers state it."""

# Table of the band's signal: range and step. Linear interpolation over 0.05 K is off by less than 1e-5 K.
_TABLE_K, _STEP_K = (150.0, 900.0), 0.05


class Curve(Protocol):
    """What a camera's signal is for a black body of each temperature, and back."""

    def signal(self, degc: Floats | float) -> Floats:
        """Signal of a black body, any unit that is linear in radiation."""
        ...

    def degc(self, signal: Floats | float) -> Floats:
        """Temperature of the black body that gives this signal; NaN outside the curve."""
        ...


@dataclass(frozen=True)
class Planck:
    """A camera's own calibration curve: counts = r1 / (r2 (exp(b / T) - f)) - o, T in kelvin."""

    r1: float
    r2: float
    b: float
    f: float
    o: float

    def signal(self, degc: Floats | float) -> Floats:
        """Counts of a black body; the offset o cancels wherever shares add up to one."""
        return self.r1 / (self.r2 * (np.exp(self.b / (np.asarray(degc) + KELVIN)) - self.f)) - self.o

    def degc(self, signal: Floats | float) -> Floats:
        """Temperature of a black body of these counts; NaN outside the curve."""
        counts = np.asarray(signal, float)
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = self.r1 / (self.r2 * (counts + self.o)) + self.f
            kelvin = self.b / np.log(np.where((counts + self.o > 0.0) & (inner > 1.0), inner, np.nan))
        return kelvin - KELVIN


@dataclass(frozen=True)
class Band:
    """A camera whose curve is not known: Planck's law over its band, each wavelength counted alike."""

    low_um: float = BAND_UM[0]
    high_um: float = BAND_UM[1]

    def signal(self, degc: Floats | float) -> Floats:
        """Radiation within the band over that of a black body of 1 K in all, i.e. in K^4."""
        kelvin, signal = _table(self.low_um, self.high_um)
        return np.interp(np.asarray(degc, float) + KELVIN, kelvin, signal, left=np.nan, right=np.nan)

    def degc(self, signal: Floats | float) -> Floats:
        """Temperature of a black body; NaN outside 150 to 900 K."""
        kelvin, table = _table(self.low_um, self.high_um)
        found = np.interp(np.asarray(signal, float), table, kelvin, left=np.nan, right=np.nan)
        return np.asarray(found - KELVIN)


@dataclass(frozen=True)
class Air:
    """Air between object and camera, and how well it lets the radiation through."""

    degc: float
    humidity: float
    """Relative, 0..1."""
    # The coefficients that FLIR cameras store unless they were changed (all four reference pictures).
    alpha1: float = 0.006569
    alpha2: float = 0.01262
    beta1: float = -0.002276
    beta2: float = -0.00667
    x: float = 1.9

    def transmission(self, distance_m: float) -> float:
        """Share of the radiation that comes through, 0..1: one figure over the whole distance.

        Water content in g/m^3 from a cubic fit to the saturation curve, then two bands that fade
        with the square root of the distance. One such figure over the object distance reproduces the
        maker's tool to 0.0005 degC; splitting the way in two is off by up to 0.16 degC (measured on
        11 files).
        """
        t = self.degc
        water = self.humidity * np.exp(1.5587 + 6.939e-2 * t - 2.7816e-4 * t**2 + 6.8455e-7 * t**3)
        way, wet = np.sqrt(distance_m), np.sqrt(water)
        return float(
            self.x * np.exp(-way * (self.alpha1 + self.beta1 * wet))
            + (1.0 - self.x) * np.exp(-way * (self.alpha2 + self.beta2 * wet))
        )


@dataclass(frozen=True)
class Surroundings:
    """What lies between the temperature of the skin and what the camera sees of it."""

    emissivity: float
    """Of the skin, 0..1, 0 excluded."""
    reflected_degc: float
    """Of what the skin mirrors: ceiling, walls, the operator."""
    air: Air
    distance_m: float

    @property
    def transmission(self) -> float:
        """Of the air on the way, 0..1."""
        return self.air.transmission(self.distance_m)


@dataclass(frozen=True)
class Effect:
    """How far from the truth a camera reads that corrects for nothing; positive = too warm."""

    true_degc: float
    emissivity_degc: float
    """Skin gives off less than a black body would."""
    reflection_degc: float
    """It mirrors what is around it."""
    air_degc: float
    """Air takes some away and adds its own."""

    @property
    def total_degc(self) -> float:
        """All of it."""
        return self.emissivity_degc + self.reflection_degc + self.air_degc


def object_degc(signal: Floats, *, curve: Curve, around: Surroundings) -> Floats:
    """Temperature of the object from what the camera saw.

    Args:
        signal: What the camera saw, any shape.
        curve: The camera's.
        around: What to correct for.

    Returns:
        Temperatures of the same shape; NaN where nothing that is warm could have given the signal.
    """
    eps, tau = around.emissivity, around.transmission
    rest = (1.0 - eps) * tau * _one(curve, around.reflected_degc) + (1.0 - tau) * _one(curve, around.air.degc)
    return curve.degc((np.asarray(signal) - rest) / (eps * tau))


def seen_signal(degc: Floats, *, curve: Curve, around: Surroundings) -> Floats:
    """What a camera sees of an object: `object_degc` the other way."""
    eps, tau = around.emissivity, around.transmission
    rest = (1.0 - eps) * tau * _one(curve, around.reflected_degc) + (1.0 - tau) * _one(curve, around.air.degc)
    return eps * tau * curve.signal(np.asarray(degc, float)) + rest


def seen_degc(degc: Floats, *, curve: Curve, around: Surroundings) -> Floats:
    """What a camera that corrects for nothing reads of an object."""
    return curve.degc(seen_signal(degc, curve=curve, around=around))


def effects(*, curve: Curve, around: Surroundings, at_degc: Sequence[float]) -> tuple[Effect, ...]:
    """How far off an uncorrected picture reads, cause by cause, for skin of each temperature.

    The causes are put on one after another (emissivity, then reflection, then air), so that they add
    up to the whole.
    """
    true = np.asarray(at_degc, float)
    dim = around.emissivity * curve.signal(true) + (1.0 - around.emissivity) * _nothing(curve)
    still = Surroundings(around.emissivity, around.reflected_degc, around.air, 0.0)
    steps = (curve.degc(dim), seen_degc(true, curve=curve, around=still))
    last = seen_degc(true, curve=curve, around=around)
    return tuple(
        Effect(float(t), float(a - t), float(b - a), float(c - b))
        for t, a, b, c in zip(true, *steps, last, strict=True)
    )


def _one(curve: Curve, degc: float) -> float:
    return float(curve.signal(np.asarray(degc, float)))


def _nothing(curve: Curve) -> float:
    """Signal where there is no radiation at all: a camera's counts start at minus its offset."""
    return -curve.o if isinstance(curve, Planck) else 0.0


@cache
def _table(low_um: float, high_um: float) -> tuple[Floats, Floats]:
    """Temperatures in kelvin and the band's signal, both rising."""
    kelvin = np.arange(*_TABLE_K, _STEP_K)
    share = share_below(high_um * kelvin) - share_below(low_um * kelvin)
    return frozen(kelvin), frozen(share * kelvin**4)


def share_below(wavelength_times_kelvin_um_k: Floats) -> Floats:
    """Share of a black body's radiation at wavelengths below this one, 0..1.

    The integral of Planck's law as a series in exp(-x), x = c2 / (wavelength T) (e.g. Siegel and Howell,
    Thermal Radiation Heat Transfer, equation for F(0-lambda T)). Twenty terms are exact to 1e-9
    from 1000 to 15000 um K.
    """
    x = _C2_UM_K / np.asarray(wavelength_times_kelvin_um_k, float)
    total = np.zeros_like(x)
    for n in range(1, 21):
        total += np.exp(-n * x) / n * (x**3 + 3.0 * x**2 / n + 6.0 * x / n**2 + 6.0 / n**3)
    return 15.0 / np.pi**4 * total
