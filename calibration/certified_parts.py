"""What the steps have to show in the certificate."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration.board import Board
from calibration.certificate import Certified
from calibration.certificate_plots import bars_svg, coverage_svg, residuals_svg
from calibration.intrinsics import PARAMETERS, Calibrated
from calibration.pair_equations import PairView
from calibration.rgb import LEAST_COVERED, CameraFound
from calibration.skin_error import DISTANCES_MM
from calibration.thermal import MOST_TRANSFER_PX, ThermalJudged
from calibration.thermal_pair import TURN_AND_SHIFT
from calibration.tip import TipFound
from models.geometry import Floats
from models.nozzle_errors import TIP


def bloom_words(bloom: float) -> str:
    """How large tags look to the thermal camera, in a sentence; a share, above 0 is larger."""
    pct = 100.0 * abs(bloom)
    if pct < 0.05:
        return "Tags look as large to the thermal camera as they are."
    return (
        f"Tags look {pct:.1f} % {'larger' if bloom > 0.0 else 'smaller'} to the thermal camera than they are."
    )


def board_words(camera: Calibrated) -> str:
    """How far the board's corners are off, in a sentence."""
    across, along = camera.off_mm
    sheared_px, bent_mm = camera.own_width
    words = (
        f"The board's corners are off by {across:.3f} mm across and {along:.3f} mm out of the plane (1"
        " sigma); that was estimated too."
        if max(across, along) > 0.0
        else "The board was taken for flat and true, as was asked for."
        if camera.taken_flat
        else "The board shows no error of its own in these pictures; that was looked for too."
    )
    if bent_mm > 0.0:
        words += f" Between pictures its bend changes by {bent_mm:.2f} mm: glue it to something stiff."
    if sheared_px > 0.0:
        words += f" Pictures are sheared by {sheared_px:.2f} px: hold still."
    return words


def _open_words(board: Board) -> tuple[str, ...]:
    """What was left open of a print's directions."""
    if board.stretch_u95 == 0.0:
        return ()
    words = f"Lengths down the board are known to {100.0 * board.stretch_u95:.2f} % against those across"
    return (f"{words}: that is in the bounds.",)


def rgb_part(found: CameraFound, board: Board, *, beside: Sequence[str] = ()) -> Certified:
    """Of the colour camera's lens.

    Args:
        found: The camera.
        board: What was seen.
        beside: The plain solution in sentences, `calibration.plain_camera.beside_words`.
    """
    camera = found.calibrated
    sigma = np.sqrt(np.diag(camera.covariance))
    told = [k for k, one in enumerate(sigma) if one > 0.0]
    return Certified(
        step="rgb",
        table="rgb",
        title="Colour camera",
        parameters=tuple(
            (name, float(value), 1.96 * float(one) if one > 0.0 else float("nan"))
            for name, value, one in zip(PARAMETERS, camera.values, sigma, strict=True)
        ),
        covariance_of=tuple(PARAMETERS[k] for k in told),
        covariance=camera.covariance[np.ix_(told, told)],
        on_skin=(
            ("place across the line of sight, where boards were", tuple(e.across_mm for e in found.errors)),
            ("distance, of what is placed by its size, there", tuple(e.along_mm for e in found.errors)),
            ("place, in the whole picture", tuple(e.across_mm for e in found.everywhere)),
            ("distance, in the whole picture", tuple(e.along_mm for e in found.everywhere)),
        ),
        facts=(
            f"{len(found.views)} pictures of a {board.words}.",
            f"{100.0 * found.covered:.0f} % of the picture covered (at least {100.0 * LEAST_COVERED:.0f} %);"
            f" boards {found.tilt_deg:.0f} degrees apart, farthest by nearest {found.apart:.2f}.",
            board_words(camera),
            *_open_words(board),
            f"Residual {camera.rms_px:.3f} px rms.",
            *beside,
        ),
        plots=(
            (
                "Corners seen, in the picture's frame",
                coverage_svg([view.corners_px for view in found.views], size_px=found.size_px),
            ),
            ("What is left of each corner", residuals_svg(camera.residuals_px, unit="px")),
        ),
        used=tuple(view.name for view in found.views),
        refused=found.left_out,
    )


def thermal_part(judged: ThermalJudged, pairs: list[PairView], left_out: list[str]) -> Certified:
    """Of the thermal camera."""
    found = judged.found
    turn, _ = cv2.Rodrigues(found.thermal_from_rgb.rotation)
    names = (*found.free, *TURN_AND_SHIFT)
    values = [
        *(found.values[PARAMETERS.index(name)] for name in found.free),
        *np.ravel(turn),
        *found.thermal_from_rgb.translation_mm,
    ]
    covariance = judged.covariance
    return Certified(
        step="thermal",
        table="thermal",
        title="Thermal camera, and where it stands to the colour camera",
        parameters=tuple(
            (name, float(value), 1.96 * float(one))
            for name, value, one in zip(names, values, np.sqrt(np.diag(covariance)), strict=True)
        ),
        covariance_of=names,
        covariance=covariance,
        on_skin=(("place of a thermal pixel", judged.on_skin_mm),),
        facts=(
            f"{len(pairs)} pairs.",
            bloom_words(found.bloom),
            f"Residual {found.rms_px:.3f} thermal px rms.",
        ),
        plots=(
            (
                "Each pair foretold by the others, thermal px rms",
                bars_svg(
                    [pair.name for pair in pairs], judged.held_out_px, limit=MOST_TRANSFER_PX, unit="px"
                ),
            ),
        ),
        used=tuple(pair.name for pair in pairs),
        refused=tuple(left_out),
    )


def tip_part(found: TipFound, names: tuple[str, ...]) -> Certified:
    """Of the nozzle's orifice."""
    tip = found.robust
    bound = 1.96 * np.sqrt(np.diag(tip.covariance_mm2))
    size = np.linalg.norm(tip.residuals_mm, axis=1)
    facts = [
        f"{int(tip.used.sum())} of {len(names)} poses, turned by {found.turn_deg:.1f} degrees in the"
        " direction turned least.",
        f"Plain least squares: {_place(found.plain.tip_mm)} mm, bound {found.plain.tip_u95_mm:.2f} mm;"
        f" robust: {_place(tip.tip_mm)} mm, bound {tip.tip_u95_mm:.2f} mm;"
        f" {np.linalg.norm(found.plain.tip_mm - tip.tip_mm):.2f} mm apart, on the same poses"
        f" {np.linalg.norm(found.agree.kept.tip_mm - tip.tip_mm):.2f} mm.",
        f"Poses that are alike err alike: that has widened the bound {found.agree.alike:.2f} times.",
        f"Residual {tip.rms_mm:.3f} mm rms.",
        "The tip was found in the frame of the poses; in the rig it is the origin.",
    ]
    return Certified(
        step="tip",
        table="nozzle",
        title="Tip of the nozzle",
        parameters=tuple(
            (name, float(v), float(b)) for name, v, b in zip(TIP, tip.tip_mm, bound, strict=True)
        ),
        covariance_of=TIP,
        covariance=tip.covariance_mm2,
        on_skin=(("tip, against the tags", (tip.tip_u95_mm,) * len(DISTANCES_MM)),),
        facts=(*facts, found.differ) if found.differ is not None else tuple(facts),
        plots=(
            (
                "Tip by each pose, off the mean, across (x, y of the frame of tracking)",
                residuals_svg([tip.residuals_mm[tip.used][:, :2]], unit="mm"),
            ),
            ("Tip by each pose, off the mean, mm", bars_svg(names, size.tolist(), limit=None, unit="mm")),
        ),
        used=tuple(name for name, used in zip(names, tip.used, strict=True) if used),
        refused=tuple(
            f"{name}: off by more than the noise of the others explains" for name in found.left_out
        ),
    )


def _place(point_mm: Floats) -> str:
    return f"({', '.join(f'{value:.2f}' for value in point_mm)})"
