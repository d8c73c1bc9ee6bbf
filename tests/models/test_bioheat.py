"""Heat in skin against exact solutions, its laws, and convergence in depth and time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfcx

from models.bioheat import Boundary, SkinState, advance, column_of, room_air
from models.bioheat_steps import COLD_SHARE
from models.catalogue import load_zones
from models.geometry import Floats
from models.problems import InputError
from models.tissue import SITES, SKIN, Figure, Layer, Tissue, tissue_at

CONDUCTS_W_MK, DENSITY_KG_M3, HEAT_J_KGK = 0.37, 1116.0, 3300.0
START_DEGC = 33.0
JETS = {"air": (103.0, -30.0), "ln2": (90.0, -110.0), "co2": (250.0, -78.0), "strong co2": (430.0, -40.0)}
"""Film (W/m2K) and gas (degC): the stationary jets of domain section 3, and a faulty one."""


def exactly(value: float) -> Figure:
    return Figure(value, value, value, "test")


def slab(*, depth_mm: float = 25.0, blood_1_s: float = 0.0, metabolism_w_m3: float = 0.0) -> Tissue:
    """One material, alike all the way down."""
    layer = Layer(
        "slab",
        exactly(depth_mm),
        exactly(CONDUCTS_W_MK),
        exactly(DENSITY_KG_M3),
        exactly(HEAT_J_KGK),
        exactly(blood_1_s),
        exactly(metabolism_w_m3),
    )
    return Tissue("slab", (layer,), START_DEGC, START_DEGC, blood_j_m3k=3.8e6)


def even(cells: int = 1, *, degc: float = START_DEGC) -> SkinState:
    depths = 20
    return SkinState(np.full((depths, cells), degc), np.ones(cells), np.zeros(cells))


def film(w_m2k: Floats | float, gas_degc: Floats | float, *, cells: int = 1) -> Boundary:
    return Boundary(np.full(cells, w_m2k), np.full(cells, gas_degc))


def half_space_degc(t_s: Floats, *, w_m2k: float, gas_degc: float) -> Floats:
    """Surface of a half-space behind a film: Carslaw and Jaeger, Conduction of Heat in Solids, 2.7."""
    x = w_m2k * np.sqrt(t_s / (CONDUCTS_W_MK * DENSITY_KG_M3 * HEAT_J_KGK))
    return START_DEGC - (START_DEGC - gas_degc) * (1.0 - erfcx(x))


def followed(boundary: Boundary, *, dt_s: float, to_s: float, tissue: Tissue) -> tuple[Floats, Floats]:
    """Times and surface temperatures of the first cell from an even start."""
    state, steps = even(len(boundary)), round(to_s / dt_s)
    degc = np.empty(steps)
    for k in range(steps):
        state = advance(state, boundary, tissue=tissue, dt_s=dt_s)
        degc[k] = state.surface_degc[0]
    return dt_s * np.arange(1.0, steps + 1.0), degc


@pytest.mark.parametrize("jet", JETS)
@pytest.mark.parametrize("rate_hz", [9.0, 15.0, 25.0])
def test_a_half_space_behind_a_film_is_met_within_0_05_degc_after_0_2_s(jet: str, rate_hz: float) -> None:
    """Measured: 0.034 degC at worst (strong CO2, 9 pictures a second), 0.001 after 5 s; asked for: 0.05."""
    w_m2k, gas_degc = JETS[jet]
    t_s, degc = followed(film(w_m2k, gas_degc), dt_s=1.0 / rate_hz, to_s=60.0, tissue=slab())
    error = np.abs(degc - half_space_degc(t_s, w_m2k=w_m2k, gas_degc=gas_degc))
    assert error[t_s >= 0.2].max() < 0.05
    assert error[t_s >= 5.0].max() < 0.003


def test_skin_that_rests_stays_as_it_is() -> None:
    for zone in SITES:
        tissue = tissue_at(zone)
        state = SkinState.at_rest(np.array([29.0, 33.0]), tissue=tissue)
        flow = column_of(tissue).outflow_w_m2(state.degc)
        air = film(flow / (state.surface_degc - 22.0), 22.0, cells=2)
        after = advance(state, air, tissue=tissue, dt_s=60.0)
        # Cool skin narrows its vessels: the one at 29 degC is below `WARM_DEGC` and drifts a little.
        assert after.degc[:, 1] == pytest.approx(state.degc[:, 1], abs=1e-6)
        assert after.degc[:, 0] == pytest.approx(state.degc[:, 0], abs=0.1)


@pytest.mark.parametrize("zone", SITES)
def test_room_air_keeps_resting_skin_within_half_a_degree(zone: str) -> None:
    """Measured: room air of 12 to 18 W/m2K does it, by site. Nothing drifts where nothing blows."""
    tissue = tissue_at(zone)
    state = SkinState.at_rest(np.array([32.0]), tissue=tissue)
    after = advance(state, room_air(state, tissue=tissue, air_degc=22.0), tissue=tissue, dt_s=120.0)
    assert after.surface_degc == pytest.approx(32.0, abs=0.5)


def test_the_resting_profile_of_one_material_is_the_known_curve() -> None:
    """``w rho c (Ta - T)`` balances conduction: sinh over the depth, no metabolism."""
    blood_1_s = 2e-3
    tissue = slab(blood_1_s=blood_1_s)
    degc = SkinState.at_rest(np.array([25.0]), tissue=tissue).degc[:, 0]
    depth_m = column_of(tissue).depth_mm * 1e-3
    per_m = np.sqrt(blood_1_s * 3.8e6 / CONDUCTS_W_MK)
    bottom = depth_m[-1]
    curve = START_DEGC - 8.0 * np.sinh(per_m * (bottom - depth_m)) / np.sinh(per_m * bottom)
    assert degc == pytest.approx(curve, abs=0.03)


@pytest.mark.parametrize("depths", [20, 40])
def test_more_depths_do_not_change_the_surface(depths: int) -> None:
    """Layered skin against 160 depths: measured 0.026 degC with 20, 0.007 with 40."""
    tissue = tissue_at("knee")
    assert _surface(tissue, depths, 0.03) == pytest.approx(_surface(tissue, 160, 0.01), abs=0.05)


def _surface(tissue: Tissue, depths: int, first_mm: float) -> Floats:
    """Surface under LN2 at 2, 5, 10 and 20 s by plain Euler steps on `Column`: a second, slow opinion."""
    column = column_of(tissue, depths=depths, first_mm=first_mm)
    degc, dt_s = column.steady(np.array([START_DEGC]))[:, 0], 0.002
    g, m = column.conducts_w_m2k, depths
    matrix = np.zeros((m, m))
    for j in range(m - 1):
        matrix[j, j] += g[j] + column.blood_w_m2k[j] + (60.0 if j == 0 else 0.0)
        matrix[j, j + 1] -= g[j]
        matrix[j + 1, j + 1] += g[j]
        matrix[j + 1, j] -= g[j]
    fixed = column.blood_w_m2k * column.arterial_degc + column.metabolism_w_m2
    fixed[0] += 60.0 * -110.0
    step = np.diag(column.holds_j_m2k / dt_s) + matrix
    step[-1], fixed[-1] = np.eye(m)[-1], 0.0
    inverse, store = np.linalg.inv(step), column.holds_j_m2k / dt_s
    store[-1] = 1.0
    told = []
    for k in range(1, round(20.0 / dt_s) + 1):
        degc = inverse @ (store * degc + fixed)
        if k * dt_s in (2.0, 5.0, 10.0, 20.0):
            told.append(degc[0])
    return np.array(told)


def test_halving_the_step_quarters_the_error() -> None:
    tissue = slab()
    boundary = film(100.0, -60.0)
    errors = []
    fine = followed(boundary, dt_s=1 / 256, to_s=2.0, tissue=tissue)[1][-1]
    for dt_s in (1 / 8, 1 / 16, 1 / 32):
        errors.append(abs(followed(boundary, dt_s=dt_s, to_s=2.0, tissue=tissue)[1][-1] - fine))
    assert errors[1] < errors[0] / 3.0
    assert errors[2] < errors[1] / 3.0


def test_splitting_a_step_changes_little() -> None:
    state, jet = SkinState.at_rest(np.array([33.0]), tissue=SKIN), film(100.0, -60.0)
    whole = advance(state, jet, tissue=SKIN, dt_s=10.0)
    parts = state
    for _ in range(100):
        parts = advance(parts, jet, tissue=SKIN, dt_s=0.1)
    assert parts.degc == pytest.approx(whole.degc, abs=0.02)
    assert advance(state, jet, tissue=SKIN, dt_s=0.0).degc == pytest.approx(state.degc)


@settings(max_examples=20)
@given(
    w_m2k=st.floats(0.0, 500.0),
    gas_degc=st.floats(-150.0, 30.0),
    dt_s=st.floats(0.01, 0.25),
    degc=st.floats(5.0, 36.0),
)
def test_heat_that_left_through_the_surface_is_missing_below(
    w_m2k: float, gas_degc: float, dt_s: float, degc: float
) -> None:
    """No blood, and too short for the core to feel it: exact but for rounding."""
    tissue = slab()
    tissue = replace(tissue, core_degc=degc, arterial_degc=degc)
    state, holds = even(degc=degc), column_of(tissue).holds_j_m2k
    jet = film(w_m2k, gas_degc)
    after = state
    for _ in range(20):
        after = advance(after, jet, tissue=tissue, dt_s=dt_s)
    missing_j_cm2 = (holds[:-1] @ (state.degc - after.degc)[:-1, 0]) * 1e-4
    assert after.removed_j_cm2[0] == pytest.approx(missing_j_cm2, rel=1e-6, abs=1e-9)


def test_everything_together_balances() -> None:
    """Blood, metabolism, core and surface over a minute: stored heat changes by what they give (1 %)."""
    tissue = tissue_at("knee")
    column = column_of(tissue)
    state = SkinState.at_rest(np.array([33.0]), tissue=tissue)
    start, given_j_m2, dt_s = state, 0.0, 1 / 15
    for _ in range(900):
        before = state
        state = advance(state, film(90.0, -50.0), tissue=tissue, dt_s=dt_s)
        middle = (before.degc[:, 0] + state.degc[:, 0]) / 2.0
        blood = before.share[0] * column.blood_w_m2k @ (column.arterial_degc - before.degc[:, 0])
        core = column.conducts_w_m2k[-1] * (column.core_degc - middle[-2])
        given_j_m2 += dt_s * (blood + core + column.metabolism_w_m2[:-1].sum())
    stored = column.holds_j_m2k[:-1] @ (state.degc - start.degc)[:-1, 0]
    assert given_j_m2 - 1e4 * state.removed_j_cm2[0] == pytest.approx(stored, rel=0.01)


@given(a=st.floats(-20.0, 40.0), b=st.floats(-20.0, 40.0), share=st.floats(0.0, 1.0))
@settings(max_examples=20)
def test_temperatures_mix_linearly(a: float, b: float, share: float) -> None:
    """A slab has no blood whose vessels narrow: a mixture of boundaries gives that mixture of skins."""
    tissue, w = slab(), 150.0
    both = advance(even(2), film(w, np.array([a, b]), cells=2), tissue=tissue, dt_s=3.0).degc
    mixed = advance(even(), film(w, share * a + (1.0 - share) * b), tissue=tissue, dt_s=3.0).degc
    assert mixed[:, 0] == pytest.approx(share * both[:, 0] + (1.0 - share) * both[:, 1], abs=1e-9)


def test_cells_do_not_know_of_each_other() -> None:
    """Whatever their order, and across the blocks in which they are computed."""
    rng, n = np.random.default_rng(3), 300
    w, gas, order = rng.uniform(5.0, 300.0, n), rng.uniform(-90.0, 25.0, n), rng.permutation(n)
    state = SkinState.at_rest(rng.uniform(28.0, 35.0, n), tissue=SKIN)
    after = advance(state, Boundary(w, gas), tissue=SKIN, dt_s=0.5)
    turned = SkinState(state.degc[:, order], state.share[order], state.removed_j_cm2[order])
    again = advance(turned, Boundary(w[order], gas[order]), tissue=SKIN, dt_s=0.5)
    assert np.array_equal(again.degc, after.degc[:, order])
    alone = SkinState(state.degc[:, 7:8], state.share[7:8], state.removed_j_cm2[7:8])
    assert np.array_equal(
        advance(alone, Boundary(w[7:8], gas[7:8]), tissue=SKIN, dt_s=0.5).degc[:, 0], after.degc[:, 7]
    )


def test_skin_never_gets_colder_than_what_cools_it_nor_warmer_than_the_core() -> None:
    for dt_s in (0.01, 0.1, 1.0, 30.0, 600.0):
        state = SkinState.at_rest(np.array([33.0]), tissue=SKIN)
        degc = advance(state, film(5000.0, -100.0), tissue=SKIN, dt_s=dt_s).degc
        assert degc.min() > -100.0
        assert degc.max() <= 37.01


def test_blood_flow_falls_in_the_cold_and_stays_low_after_rewarming() -> None:
    """Low through two hours of rewarming (Khoshnevis 2016): after 15 minutes hardly any is back."""
    state = SkinState.at_rest(np.array([33.0]), tissue=SKIN)
    cold = advance(state, film(90.0, -60.0), tissue=SKIN, dt_s=120.0)
    assert COLD_SHARE <= cold.share[0] < 0.3
    warm = advance(cold, room_air(state, tissue=SKIN, air_degc=22.0), tissue=SKIN, dt_s=900.0)
    assert warm.surface_degc[0] > 25.0
    assert warm.share[0] < cold.share[0] + 0.15


def test_every_zone_of_the_catalogue_has_its_tissue() -> None:
    assert set(SITES) == set(load_zones())
    assert tissue_at("knee").depth_mm < tissue_at("buttock").depth_mm


def test_what_is_wrong_is_refused() -> None:
    with pytest.raises(InputError, match="No fat thickness is known for zone 'nose'"):
        tissue_at("nose")
    with pytest.raises(ValueError, match="negative or not known"):
        film(np.nan, 0.0)
    with pytest.raises(ValueError, match="Cannot carry 1 cells by -1"):
        advance(even(), film(1.0, 0.0), tissue=SKIN, dt_s=-1.0)
    with pytest.raises(ValueError, match="do not widen"):
        column_of(SKIN, depths=2000)
