"""Compiled look ahead: when each cell under a jet reaches a limit."""

from __future__ import annotations

import math

import numpy as np

from models.bioheat_steps import (
    BLOCK,
    COLD_DEGC,
    COLD_SHARE,
    NARROWS_S,
    WARM_DEGC,
    Factors,
    onward,
    solve,
)
from models.compiled import compiled, still
from models.geometry import Floats


def fall(
    degc: Floats,
    share: Floats,
    blood_factor: Floats,
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
        blood_factor: That factor, shape (n,).
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
    steady = (share, blood_factor, both, push_w_m2, jet_film, jet_degc)
    share, blood_factor, both, push_w_m2, jet_film, jet_degc = (still(one) for one in steady)
    return _fall(
        still(degc),
        share,
        blood_factor,
        both,
        push_w_m2,
        jet_film,
        jet_degc,
        (still(doubt[0]), still(doubt[1]), doubt[2]),
        limit_degc,
        steps_s,
        fixed,
        per_step,
    )


@compiled
def _fall(
    degc: Floats,
    share: Floats,
    blood_factor: Floats,
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
    m, n = degc.shape
    link, blood, source, arterial, core = fixed
    stores, inverses, carries = per_step
    now_u95, log_variance, wanders = doubt
    left, soonest = np.full(n, np.inf), np.full(n, np.inf)
    shape = (m, BLOCK)
    add, right, first, other = np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape)
    push, gains = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        block = slice(start, start + size)
        flow, h, gain = share[block].copy(), both[block], gains[:size]
        a, r, one, two, q = add[:, :size], right[:, :size], first[:, :size], other[:, :size], push[:size]
        warm, sense = np.empty((m, BLOCK))[:, :size], np.zeros((m, BLOCK))[:, :size]
        low = np.empty(size)
        for j in range(m):
            for i in range(size):
                warm[j, i] = degc[j, start + i]
        for i in range(size):
            gain[i] = push_w_m2[start + i]
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
            then = np.empty((m, BLOCK))[:, :size]
            solve(warm, a, h, gain, core, by, one)
            onward(warm, one, r)
            solve(r, a, h, gain, core, by, then)
            for j in range(m):
                for i in range(size):
                    a[j, i] = -flow[i] * blood[j] * sense[j, i]
            for i in range(size):
                q[i] = jet_film[start + i] * (jet_degc[start + i] - one[0, i])
            solve(sense, a, h, q, 0.0, by, two)
            onward(sense, two, r)
            for i in range(size):
                q[i] = jet_film[start + i] * (jet_degc[start + i] - then[0, i])
            after = np.empty((m, BLOCK))[:, :size]
            solve(r, a, h, q, 0.0, by, after)
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
            # The factor of the blood flow stays, its share falls as the skin cools.
            falls = 1.0 - math.exp(-steps_s[s] / NARROWS_S)
            for i in range(size):
                aim = min(max((then[0, i] - COLD_DEGC) / (WARM_DEGC - COLD_DEGC), 0.0), 1.0)
                aim = blood_factor[start + i] * (COLD_SHARE + (1.0 - COLD_SHARE) * aim)
                flow[i] += falls * min(aim - flow[i], 0.0)
            warm, sense = then, after
            if open_cells == 0:
                break
    return left, soonest
