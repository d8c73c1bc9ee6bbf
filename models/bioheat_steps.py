"""Compiled steps of heat in skin: all cells at once, depth by depth.

A step of the two-stage method is two solves of ``(C / (g dt) - A) x = C / (g dt) r + p``. Elimination runs
from the core up to the surface, so its factors do not depend on a cell's film: every cell shares them, and
the inner loops run over cells side by side. What they read is copied into arrays of one form first, number
by number: each form of an argument, and each assignment of a whole array, costs a second of compiling.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models.compiled import compiled, still
from models.geometry import Floats

STAGE = 1.0 - 0.5**0.5
"""Both stages are implicit over this part of the step: stable, second order, no ringing (Alexander 1977)."""

COLD_SHARE = 0.2
"""Share of the blood flow that is left in cold skin. Source: domain section 3 (expert knowledge: 0.1-0.3)."""

WARM_DEGC, COLD_DEGC = 30.0, 18.0
"""Skin above the first keeps its blood flow, below the second it has `COLD_SHARE`. Own estimate: flow falls
all the way from 27.3 to 16.6 degC (Khoshnevis 2018, 10.1115/1.4041463)."""

NARROWS_S = 30.0
"""Vessels narrow with this time constant. Own estimate."""

WIDENS_S = 7200.0
"""They widen again with this one: flow stayed low through two hours of rewarming (Khoshnevis 2016,
10.1115/1.4032126; the same with four devices, PMC4395553)."""

_ONWARD = (1.0 - STAGE) / STAGE
BLOCK = 128
"""Cells taken together: 20 depths of them stay in the nearest cache."""


class Factors(NamedTuple):
    """Elimination of one column for one length of step; arrays of shape (m,), core included."""

    store: Floats
    """Heat capacity over a stage, W/m2K."""
    link: Floats
    """Conductance to the next deeper node; 0 at the core."""
    inverse: Floats
    """One over the pivot; at the surface the pivot itself without the film."""
    carry: Floats
    """What a node takes over of the next shallower one."""
    blood: Floats
    source: Floats
    """Metabolism, W/m2."""
    arterial_degc: float
    core_degc: float
    dt_s: float


def factors(
    holds_j_m2k: Floats,
    conducts_w_m2k: Floats,
    blood_w_m2k: Floats,
    metabolism_w_m2: Floats,
    *,
    arterial_degc: float,
    core_degc: float,
    dt_s: float,
) -> Factors:
    """Eliminate one column from the core to the surface."""
    m = len(holds_j_m2k)
    store, link = holds_j_m2k / (STAGE * dt_s), np.append(conducts_w_m2k, 0.0)
    inverse, carry = np.zeros(m), np.zeros(m)
    for j in range(m - 2, 0, -1):
        inverse[j] = 1.0 / (store[j] + link[j - 1] + link[j] * (1.0 - carry[j + 1]))
        carry[j] = link[j - 1] * inverse[j]
    inverse[0] = store[0] + link[0] * (1.0 - carry[1])
    return Factors(store, link, inverse, carry, blood_w_m2k, metabolism_w_m2, arterial_degc, core_degc, dt_s)


def narrowed(share: Floats, surface_degc: Floats, *, dt_s: float) -> Floats:
    """Share of the blood flow after a step: it falls in the cold soon, and comes back late."""
    return _narrowed(still(share), still(surface_degc), dt_s)


@compiled
def _narrowed(share: Floats, surface_degc: Floats, dt_s: float) -> Floats:
    falls, rises = 1.0 - math.exp(-dt_s / NARROWS_S), 1.0 - math.exp(-dt_s / WIDENS_S)
    out = np.empty(len(share))
    for i in range(len(share)):
        warm = min(max((surface_degc[i] - COLD_DEGC) / (WARM_DEGC - COLD_DEGC), 0.0), 1.0)
        off = COLD_SHARE + (1.0 - COLD_SHARE) * warm - share[i]
        out[i] = share[i] + (falls if off < 0.0 else rises) * off
    return out


@compiled
def solve(
    right: Floats, add: Floats, film: Floats, push: Floats, core: float, by: Factors, out: Floats
) -> None:
    """One stage for a block of cells into ``out``; ``push`` is heat into the surface, W/m2."""
    m, n = right.shape
    for i in range(n):
        out[m - 1, i] = core
    for j in range(m - 2, 0, -1):
        store, link, inverse = by.store[j], by.link[j], by.inverse[j]
        for i in range(n):
            out[j, i] = (store * right[j, i] + add[j, i] + link * out[j + 1, i]) * inverse
    for i in range(n):
        gain = by.store[0] * right[0, i] + add[0, i] + push[i] + by.link[0] * out[1, i]
        out[0, i] = gain / (by.inverse[0] + film[i])
    for j in range(1, m - 1):
        carry = by.carry[j]
        for i in range(n):
            out[j, i] += carry * out[j - 1, i]


@compiled
def onward(before: Floats, first: Floats, right: Floats) -> None:
    """Right-hand side of the second stage."""
    m, n = before.shape
    for j in range(m):
        for i in range(n):
            right[j, i] = before[j, i] + _ONWARD * (first[j, i] - before[j, i])


def march(degc: Floats, share: Floats, film: Floats, gas_degc: Floats, by: Factors) -> tuple[Floats, Floats]:
    """One step of every cell.

    Args:
        degc: Shape (m, n), row 0 the surface.
        share: Share of the blood flow, shape (n,).
        film: Film coefficient, W/m2K.
        gas_degc: What the film draws the surface towards.
        by: Of the column and this step.

    Returns:
        Temperatures after the step, and heat that left through the surface, J/m2.
    """
    return _march(still(degc), still(share), still(film), still(gas_degc), by)


@compiled
def _march(degc: Floats, share: Floats, film: Floats, gas_degc: Floats, by: Factors) -> tuple[Floats, Floats]:
    m, n = degc.shape
    out, heat = np.empty((m, n)), np.empty(n)
    add, right, first = np.empty((m, BLOCK)), np.empty((m, BLOCK)), np.empty((m, BLOCK))
    here, push = np.empty((m, BLOCK)), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        block = slice(start, start + size)
        warm, then, flow, h = here[:, :size], out[:, block], share[block], film[block]
        for j in range(m):
            blood, source = by.blood[j], by.source[j]
            for i in range(size):
                warm[j, i] = degc[j, start + i]
                add[j, i] = source + flow[i] * blood * (by.arterial_degc - warm[j, i])
        for i in range(size):
            push[i] = h[i] * gas_degc[start + i]
        solve(warm, add[:, :size], h, push[:size], by.core_degc, by, first[:, :size])
        onward(warm, first[:, :size], right[:, :size])
        solve(right[:, :size], add[:, :size], h, push[:size], by.core_degc, by, then)
        for i in range(size):
            mean = (1.0 - STAGE) * first[0, i] + STAGE * then[0, i]
            heat[start + i] = by.dt_s * (h[i] * mean - push[i])
    return out, heat


def march_sensed(
    degc: Floats,
    by_flux: Floats,
    by_blood: Floats,
    share: Floats,
    film: Floats,
    push_w_m2: Floats,
    jet_film: Floats,
    jet_degc: Floats,
    by: Factors,
) -> tuple[Floats, Floats, Floats, Floats]:
    """One step of every cell together with what its temperatures owe to two unknown factors.

    Args:
        degc: Shape (m, n).
        by_flux: Change of the temperatures a unit of the logarithm of the jet's film, shape (m, n).
        by_blood: The same a unit of the logarithm of the blood flow.
        share: Share of the blood flow, its factor included, shape (n,).
        film: Film coefficient of jet and air, W/m2K.
        push_w_m2: Film times gas temperature, summed over jet and air.
        jet_film: The jet's part of the film.
        jet_degc: Temperature of its gas.
        by: Of the column and this step.

    Returns:
        Temperatures and both sensitivities after the step, and heat that left, J/m2.
    """
    cells = (share, film, push_w_m2, jet_film, jet_degc)
    share, film, push_w_m2, jet_film, jet_degc = (still(one) for one in cells)
    warm, flux, blood = still(degc), still(by_flux), still(by_blood)
    return _march_sensed(warm, flux, blood, share, film, push_w_m2, jet_film, jet_degc, by)


@compiled
def _march_sensed(
    degc: Floats,
    by_flux: Floats,
    by_blood: Floats,
    share: Floats,
    film: Floats,
    push_w_m2: Floats,
    jet_film: Floats,
    jet_degc: Floats,
    by: Factors,
) -> tuple[Floats, Floats, Floats, Floats]:
    m, n = degc.shape
    out, out_flux, out_blood = np.empty((m, n)), np.empty((m, n)), np.empty((m, n))
    heat = np.empty(n)
    add, right, first = np.empty((m, BLOCK)), np.empty((m, BLOCK)), np.empty((m, BLOCK))
    other, here, push = np.empty((m, BLOCK)), np.empty((m, BLOCK)), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        block = slice(start, start + size)
        then, flow, h, jet, gas = out[:, block], share[block], film[block], jet_film[block], jet_degc[block]
        a, r, one, two, q = add[:, :size], right[:, :size], first[:, :size], other[:, :size], push[:size]
        before = here[:, :size]
        for j in range(m):
            blood, source = by.blood[j], by.source[j]
            for i in range(size):
                before[j, i] = degc[j, start + i]
                a[j, i] = source + flow[i] * blood * (by.arterial_degc - before[j, i])
        struck = False
        for i in range(size):
            q[i] = push_w_m2[start + i]
            struck = struck or jet[i] > 0.0 or by_flux[0, start + i] != 0.0
        solve(before, a, h, q, by.core_degc, by, one)
        onward(before, one, r)
        solve(r, a, h, q, by.core_degc, by, then)
        for i in range(size):
            mean = (1.0 - STAGE) * one[0, i] + STAGE * then[0, i]
            heat[start + i] = by.dt_s * (h[i] * mean - q[i])
        if struck:
            for j in range(m):
                for i in range(size):
                    before[j, i] = by_flux[j, start + i]
                    a[j, i] = -flow[i] * by.blood[j] * before[j, i]
            for i in range(size):
                q[i] = jet[i] * (gas[i] - one[0, i])
            solve(before, a, h, q, 0.0, by, two)
            onward(before, two, r)
            for i in range(size):
                q[i] = jet[i] * (gas[i] - then[0, i])
            solve(r, a, h, q, 0.0, by, out_flux[:, block])
        else:  # no jet has ever been here
            for j in range(m):
                for i in range(size):
                    out_flux[j, start + i] = 0.0
        for j in range(m):
            blood = by.blood[j]
            for i in range(size):
                before[j, i] = by_blood[j, start + i]
                a[j, i] = flow[i] * blood * (by.arterial_degc - degc[j, start + i] - before[j, i])
        for i in range(size):
            q[i] = 0.0
        solve(before, a, h, q, 0.0, by, two)
        onward(before, two, r)
        solve(r, a, h, q, 0.0, by, out_blood[:, block])
    return out, out_flux, out_blood, heat
