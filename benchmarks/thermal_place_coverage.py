"""Whether the promised error of a thermal pixel's place holds the true one: the whole step, on drawn rigs.

    python -m benchmarks.thermal_place_coverage --rigs 200

    python -m benchmarks.thermal_place_coverage --rigs 200 --pairs 4 5 6 8 12 20

For each kind of pairs: colour camera wrong as its covariance says, thermal camera with a lens of its own,
corners with noise, tags that bloom in the thermal picture and shrink in the colour one. What is off is what
the rig does: its colour lens as stated, its thermal camera as found. "Held" asks that nine places hold at
once.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.stopwatch import machine
from calibration.board import BoardView
from calibration.carried import carried
from calibration.pair_equations import PairView, bloomed
from calibration.placed import skin_errors_mm
from calibration.print_doubt import doubts_mm
from calibration.sheets import TARGET
from calibration.skin_error import DISTANCES_MM, camera_of
from calibration.swell import outwards
from calibration.thermal import LIMIT_MM
from calibration.thermal_pair import RgbKnown, ThermalFound, calibrate_thermal
from models.geometry import Floats, Pose, rotation_from_rvec

RGB_PX, THERMAL_PX = (1280, 720), (256, 192)
FIELD = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])

ALONE = np.diag(np.array([1.0, 1.0, 0.7, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0]) ** 2)
"""Each parameter of the colour camera wrong by itself, px."""


def _as_calibrated() -> Floats:
    """As `calibrate rgb` states it where fx and fy were taken as one and k1, k2 estimated."""
    root = np.zeros((9, 5))
    root[:2, 0], root[2, 1], root[3, 2] = 1.5, 1.0, 1.0
    root[4, 3], root[5, 3], root[5, 4] = 0.004, -0.012, 0.004
    return root @ root.T


@dataclass(frozen=True, eq=False)
class Pairs:
    """How pairs are taken."""

    count: int = 12
    lean_deg: float = 40.0
    near_mm: float = 500.0
    far_mm: float = 1100.0
    noise_px: float = 0.1
    """Of colour corners, 1 sigma of a component."""
    thermal_noise_px: float = 0.25
    strays: float = 0.0
    """Share of thermal tags whose corners are off by pixels."""
    moved_px: float = 0.0
    """1 sigma by which a pair's thermal corners are off together: hand and rig were not quite still."""
    bent_mm: float = 0.0
    """Ends of the target up."""
    swell_px: float = -0.3
    """By how much each side of a tag lies farther out in the colour picture; found in drawn ones: -0.36."""
    alike_px: float = 0.0
    """1 sigma, each component, by which a thermal corner is off in all pairs alike."""
    print_u95: tuple[float, float] = (0.0, 0.0)
    """95 % of the shares by which the target came out larger, and longer down than across."""
    print_told: bool = True
    """Whether the doubt of the print is told; else it is taken for true."""
    covariance: Floats = field(default_factory=lambda: ALONE)


KINDS = {
    "12 pairs, 0.25 px": Pairs(),
    "0.1 px": Pairs(thermal_noise_px=0.1),
    "0.5 px": Pairs(thermal_noise_px=0.5),
    "6 pairs": Pairs(count=6),
    "25 pairs": Pairs(count=25),
    "weak: 15 deg, 0.65-0.8 m": Pairs(lean_deg=15.0, near_mm=650.0, far_mm=800.0),
    "rgb as calibrated": Pairs(covariance=_as_calibrated()),
    "1 tag in 20 astray": Pairs(strays=0.05),
    "pairs moved by 0.3 px": Pairs(moved_px=0.3),
    "target bent by 0.5 mm": Pairs(bent_mm=0.5),
    "corners off alike by 0.1 px": Pairs(thermal_noise_px=0.1, alike_px=0.1),
    "edges as they are": Pairs(swell_px=0.0),
    "nobody measured the print": Pairs(count=25, thermal_noise_px=0.1, print_u95=(0.005, 0.005)),
    "the same, taken for true": Pairs(
        count=25, thermal_noise_px=0.1, print_u95=(0.005, 0.005), print_told=False
    ),
    "print off by 3 % (95 %)": Pairs(count=25, thermal_noise_px=0.1, print_u95=(0.03, 0.03)),
    "print off by 3 %, taken for true": Pairs(
        count=25, thermal_noise_px=0.1, print_u95=(0.03, 0.03), print_told=False
    ),
}


@dataclass(frozen=True, eq=False)
class Truth:
    """One rig."""

    rgb: Floats
    thermal: Floats
    thermal_from_rgb: Pose
    bloom: float


@dataclass(frozen=True, eq=False)
class Held:
    """What became of one rig, at `calibration.skin_error.DISTANCES_MM`."""

    bound_mm: Floats
    at_nine_mm: Floats
    """True error of what the rig does, shape (distances, 9)."""

    @property
    def of_nine_mm(self) -> Floats:
        """The largest of nine places."""
        return self.at_nine_mm.max(axis=1)


def truth_of(rng: np.random.Generator) -> Truth:
    """A rig drawn at random."""
    focal, thermal = rng.uniform(850.0, 1150.0), np.zeros(9)
    rgb = np.array([focal, focal, *rng.normal((639.5, 359.5), 12.0), rng.uniform(-0.2, 0.1), 0.03, 0, 0, 0])
    thermal[:2] = 256.0 * rng.uniform(1.0, 1.5)
    thermal[2:4] = rng.normal((127.5, 95.5), 2.5)
    thermal[4] = rng.uniform(-0.2, 0.0)
    stand = Pose.of(
        rotation_from_rvec(rng.normal(0.0, 0.03, 3)), rng.normal((40.0, 0.0, 0.0), (8.0, 8.0, 5.0))
    )
    return Truth(rgb, thermal, stand, rng.uniform(-0.02, 0.05))


def seen(points_mm: Floats, values: Floats) -> Floats:
    """Pixels of points in a camera's frame, shape (n, 2)."""
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    px, _ = cv2.projectPoints(np.ascontiguousarray(points_mm), np.zeros(3), np.zeros(3), matrix, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def pairs_of(truth: Truth, how: Pairs, rng: np.random.Generator) -> list[PairView]:
    """Corners of the target in both cameras, tags that lie outside a picture left out."""
    corners = np.array(TARGET.corners_mm)
    middle = corners.mean(axis=0)
    larger, longer = (u95 / 1.96 * rng.normal() if u95 else 0.0 for u95 in how.print_u95)
    corners[:, :2] *= (1.0 + larger) * np.array([1.0 - 0.5 * longer, 1.0 + 0.5 * longer])
    corners[:, 2] += how.bent_mm * ((corners[:, 1] - middle[1]) / np.ptp(corners[:, 1]) * 2.0) ** 2
    warm = bloomed(corners, truth.bloom)
    alike_px = how.alike_px * rng.normal(size=(len(corners), 2))
    pairs: list[PairView] = []
    while len(pairs) < how.count:
        way, lean = rng.uniform(0.0, 2.0 * np.pi), np.radians(how.lean_deg) * np.sqrt(rng.uniform())
        turn = rotation_from_rvec(lean * np.array([np.cos(way), np.sin(way), 0.0]))
        turn = turn @ rotation_from_rvec(np.array([0.0, 0.0, rng.normal(0.0, 0.2)]))
        depth = rng.uniform(how.near_mm, how.far_mm)
        at = np.array([rng.uniform(-0.3, 0.3) * depth, rng.uniform(-0.2, 0.2) * depth, depth])
        colour = seen((corners - middle) @ turn.T + at, truth.rgb)
        thermal = seen(truth.thermal_from_rgb.apply((warm - middle) @ turn.T + at), truth.thermal)
        views = [
            _view(colour, RGB_PX, how.noise_px, rng, off_px=how.swell_px * outwards(colour)),
            _view(thermal, THERMAL_PX, how.thermal_noise_px, rng, off_px=alike_px),
        ]
        if min(len(view.ids) for view in views) < 16:
            continue
        off = np.zeros((len(views[1].ids) // 4, 4, 2)) + how.moved_px * rng.normal(size=2)
        astray = rng.uniform(size=len(off)) < how.strays
        off[astray] += 3.0 * rng.normal(size=(int(astray.sum()), 4, 2))
        views[1] = replace(views[1], corners_px=views[1].corners_px + off.reshape(-1, 2))
        pairs.append(PairView(f"{len(pairs)}", views[0], views[1]))
    return pairs


def _view(
    px: Floats, size_px: tuple[int, int], noise_px: float, rng: np.random.Generator, *, off_px: Floats
) -> BoardView:
    inside = np.all((px > 3.0) & (px < np.array(size_px) - 4.0), axis=1).reshape(-1, 4).all(axis=1)
    ids = np.flatnonzero(np.repeat(inside, 4))
    return BoardView("x", ids, px[ids] + off_px[ids] + noise_px * rng.normal(size=(len(ids), 2)))


def placed_off_mm(found: ThermalFound, rgb: Floats, truth: Truth, distance_mm: float) -> Floats:
    """By how much the thermal picture is laid wrong on the skin at nine places, mm, shape (9,).

    Args:
        found: The thermal camera as found.
        rgb: The colour lens that the rig states.
        truth: The rig as it is.
        distance_mm: Of the skin.
    """

    def there(rgb: Floats, stand: Pose, thermal: Floats) -> Floats:
        points = camera_of(rgb, size_px=RGB_PX).unproject(FIELD) * distance_mm
        return seen(stand.apply(points), thermal)

    off = there(rgb, found.thermal_from_rgb, found.values)
    off = off - there(truth.rgb, truth.thermal_from_rgb, truth.thermal)
    return np.linalg.norm(off, axis=1) * distance_mm / truth.thermal[0]


def calibrated(how: Pairs, rng: np.random.Generator) -> Held:
    """One rig, calibrated from its pairs by a colour camera that is wrong as its covariance says."""
    truth = truth_of(rng)
    values, vectors = np.linalg.eigh(how.covariance)
    stated = truth.rgb + vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.normal(size=9))
    known = RgbKnown(stated, how.covariance)
    larger_u95, longer_u95 = how.print_u95 if how.print_told else (0.0, 0.0)
    doubts = doubts_mm(replace(TARGET, scale_u95=larger_u95, stretch_u95=longer_u95))
    pairs = pairs_of(truth, how, rng)
    found = calibrate_thermal(pairs, TARGET.corners_mm, known=known, size_px=THERMAL_PX, doubts=doubts)
    found = carried(found, stated, rgb_size_px=RGB_PX)
    bounds = skin_errors_mm(found, rgb_size_px=RGB_PX)
    off_mm = [placed_off_mm(found, stated, truth, distance_mm) for distance_mm in DISTANCES_MM]
    return Held(np.array(bounds), np.array(off_mm))


def measured(rigs: int, *, kinds: dict[str, Pairs], first: int = 0, seconds: float = 1e9) -> Table:
    """A row for every kind."""
    table = Table(title=f"Place of a thermal pixel on the skin, {rigs} drawn rigs a row, of those accepted")
    for column in (
        "pairs",
        "accepted",
        *(f"held at {d / 1000.0:g} m" for d in DISTANCES_MM),
        "in the middle, 0.8 m",
    ):
        table.add_column(column)
    table.add_column("bound / true p50 / p95, 0.8 m, mm")
    for number, (name, how) in enumerate(kinds.items()):
        rng, ends = np.random.default_rng([first, number]), time.monotonic() + seconds / len(kinds)
        held: list[Held] = []
        while len(held) < rigs and time.monotonic() < ends:
            held.append(calibrated(how, rng))
        good = [one for one in held if one.bound_mm[1] <= LIMIT_MM]
        if not good:
            table.add_row(name, f"0 of {len(held)}")
            continue
        bound, off = (np.array([getattr(h, f) for h in good]) for f in ("bound_mm", "of_nine_mm"))
        middle = np.array([h.at_nine_mm[1, 4] for h in good])
        table.add_row(
            name,
            f"{len(good)} of {len(held)}",
            *(f"{share:.1f} %" for share in 100.0 * np.mean(off <= bound, axis=0)),
            f"{100.0 * np.mean(middle <= bound[:, 1]):.1f} %",
            f"{np.median(bound[:, 1]):.2f} / {np.median(off[:, 1]):.2f} / {np.quantile(off[:, 1], 0.95):.2f}",
        )
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.thermal_place_coverage", description=__doc__)
    parser.add_argument("--rigs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first rig")
    parser.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS), metavar="KIND")
    parser.add_argument(
        "--pairs", nargs="+", type=int, help="each kind with so many pairs, in place of its own"
    )
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    options = parser.parse_args()
    console = Console(width=150)
    console.print(machine(), highlight=False)
    kinds = {name: KINDS[name] for name in options.only}
    if options.pairs:
        kinds = {f"{n}: {name}": replace(how, count=n) for n in options.pairs for name, how in kinds.items()}
    console.print(measured(options.rigs, kinds=kinds, first=options.first, seconds=options.seconds))


if __name__ == "__main__":
    main()
