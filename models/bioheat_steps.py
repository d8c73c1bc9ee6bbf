"""Compiled steps of heat in skin: all cells at once, depth by depth.

A step of the two-stage method is two solves of ``(C / (g dt) - A) x = C / (g dt) r + p``. Elimination runs
from the core up to the surface, so its factors do not depend on a cell's film: every cell shares them, and
the inner loops run over cells side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.compiled import compiled
from models.geometry import Floats

STAGE = 1.0 - 0.5**0.5
"""Both stages are implicit over this part of the step: stable, second order, no ringing (Alexander 1977)."""

_ONWARD = (1.0 - STAGE) / STAGE
_BLOCK = 128
# Cells taken together: 20 depths of them stay in the nearest cache.


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


@compiled
def _solve(
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
def _onward(before: Floats, first: Floats, right: Floats) -> None:
    """Right-hand side of the second stage."""
    m, n = before.shape
    for j in range(m):
        for i in range(n):
            right[j, i] = before[j, i] + _ONWARD * (first[j, i] - before[j, i])


@compiled
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
    m, n = degc.shape
    out, heat = np.empty((m, n)), np.empty(n)
    add, right, first = np.empty((m, _BLOCK)), np.empty((m, _BLOCK)), np.empty((m, _BLOCK))
    push = np.empty(_BLOCK)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        block = slice(start, start + size)
        warm, then, flow, h = degc[:, block], out[:, block], share[block], film[block]
        for j in range(m):
            blood, source = by.blood[j], by.source[j]
            for i in range(size):
                add[j, i] = source + flow[i] * blood * (by.arterial_degc - warm[j, i])
        for i in range(size):
            push[i] = h[i] * gas_degc[start + i]
        _solve(warm, add[:, :size], h, push[:size], by.core_degc, by, first[:, :size])
        _onward(warm, first[:, :size], right[:, :size])
        _solve(right[:, :size], add[:, :size], h, push[:size], by.core_degc, by, then)
        for i in range(size):
            mean = (1.0 - STAGE) * first[0, i] + STAGE * then[0, i]
            heat[start + i] = by.dt_s * (h[i] * mean - push[i])
    return out, heat


@compiled
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
    m, n = degc.shape
    out, out_flux, out_blood = np.empty((m, n)), np.empty((m, n)), np.empty((m, n))
    heat = np.empty(n)
    add, right, first = np.empty((m, _BLOCK)), np.empty((m, _BLOCK)), np.empty((m, _BLOCK))
    other, push = np.empty((m, _BLOCK)), np.empty(_BLOCK)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        block = slice(start, start + size)
        warm, then, flow, h = degc[:, block], out[:, block], share[block], film[block]
        jet, gas = jet_film[block], jet_degc[block]
        a, r, one, two, q = add[:, :size], right[:, :size], first[:, :size], other[:, :size], push[:size]
        for j in range(m):
            blood, source = by.blood[j], by.source[j]
            for i in range(size):
                a[j, i] = source + flow[i] * blood * (by.arterial_degc - warm[j, i])
        _solve(warm, a, h, push_w_m2[block], by.core_degc, by, one)
        _onward(warm, one, r)
        _solve(r, a, h, push_w_m2[block], by.core_degc, by, then)
        for i in range(size):
            mean = (1.0 - STAGE) * one[0, i] + STAGE * then[0, i]
            heat[start + i] = by.dt_s * (h[i] * mean - push_w_m2[start + i])
        sense = by_flux[:, block]
        for j in range(m):
            for i in range(size):
                a[j, i] = -flow[i] * by.blood[j] * sense[j, i]
        for i in range(size):
            q[i] = jet[i] * (gas[i] - one[0, i])
        _solve(sense, a, h, q, 0.0, by, two)
        _onward(sense, two, r)
        for i in range(size):
            q[i] = jet[i] * (gas[i] - then[0, i])
        _solve(r, a, h, q, 0.0, by, out_flux[:, block])
        sense = by_blood[:, block]
        for j in range(m):
            blood = by.blood[j]
            for i in range(size):
                a[j, i] = flow[i] * blood * (by.arterial_degc - warm[j, i] - sense[j, i])
        for i in range(size):
            q[i] = 0.0
        _solve(sense, a, h, q, 0.0, by, two)
        _onward(sense, two, r)
        _solve(r, a, h, q, 0.0, by, out_blood[:, block])
    return out, out_flux, out_blood, heat


@compiled
def fall(
    degc: Floats,
    share: Floats,
    both: Floats,
    push_w_m2: Floats,
    jet_film: Floats,
    jet_degc: Floats,
    doubt: tuple[Floats, Floats, float],
    limit_degc: float,
    steps_s: Floats,
    fixed: tuple[Floats, Floats, Floats, float, float],
    per_step: tuple[Floats, Floats, Floats],
) -> tuple[Floats, Floats]:
    """When each cell reaches a limit if its boundary stays: expected, and soonest (95 %); inf where not.

    Args:
        degc: Temperatures now, shape (m, n).
        share: Share of the blood flow, its factor included, shape (n,).
        both: Film of jet and air.
        push_w_m2: Film times gas temperature, summed over jet and air.
        jet_film: The jet's part of the film.
        jet_degc: Temperature of its gas.
        doubt: 95 % bound of the surface now; variance of the film's logarithm now; its growth a second.
        limit_degc: The limit.
        steps_s: Lengths of the steps, shape (s,).
        fixed: ``link``, ``blood``, ``source``, arterial and core temperature of `Factors`.
        per_step: ``store``, ``inverse`` and ``carry`` of `Factors` of every step, shape (s, m).
    """
    m, n = degc.shape
    link, blood, source, arterial, core = fixed
    stores, inverses, carries = per_step
    now_u95, log_variance, wanders = doubt
    left, soonest = np.full(n, np.inf), np.full(n, np.inf)
    shape = (m, _BLOCK)
    add, right, first, other = np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape)
    push = np.empty(_BLOCK)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        block = slice(start, start + size)
        flow, h, gain = share[block], both[block], push_w_m2[block]
        a, r, one, two, q = add[:, :size], right[:, :size], first[:, :size], other[:, :size], push[:size]
        warm, sense = degc[:, block].copy(), np.zeros((m, size))
        low = np.empty(size)
        for i in range(size):
            low[i] = warm[0, i] - now_u95[start + i]
            if warm[0, i] <= limit_degc:
                left[start + i] = 0.0
            if low[i] <= limit_degc:
                soonest[start + i] = 0.0
        t_s = 0.0
        for s in range(len(steps_s)):
            by = Factors(stores[s], link, inverses[s], carries[s], blood, source, arterial, core, steps_s[s])
            before_s, t_s, open_cells = t_s, t_s + steps_s[s], 0
            for j in range(m):
                for i in range(size):
                    a[j, i] = source[j] + flow[i] * blood[j] * (arterial - warm[j, i])
            then = np.empty((m, size))
            _solve(warm, a, h, gain, core, by, one)
            _onward(warm, one, r)
            _solve(r, a, h, gain, core, by, then)
            for j in range(m):
                for i in range(size):
                    a[j, i] = -flow[i] * blood[j] * sense[j, i]
            for i in range(size):
                q[i] = jet_film[start + i] * (jet_degc[start + i] - one[0, i])
            _solve(sense, a, h, q, 0.0, by, two)
            _onward(sense, two, r)
            for i in range(size):
                q[i] = jet_film[start + i] * (jet_degc[start + i] - then[0, i])
            after = np.empty((m, size))
            _solve(r, a, h, q, 0.0, by, after)
            for i in range(size):
                k = start + i
                was, now = warm[0, i], then[0, i]
                if left[k] == np.inf and now <= limit_degc:
                    left[k] = before_s + (was - limit_degc) / (was - now) * steps_s[s]
                factor = np.expm1(1.96 * np.sqrt(log_variance[k] + wanders * t_s))
                under = now - np.sqrt(now_u95[k] ** 2 + (after[0, i] * factor) ** 2)
                if soonest[k] == np.inf and under <= limit_degc:
                    soonest[k] = before_s + (low[i] - limit_degc) / (low[i] - under) * steps_s[s]
                low[i] = under
                open_cells += left[k] == np.inf
            warm, sense = then, after
            if open_cells == 0:
                break
    return left, soonest
