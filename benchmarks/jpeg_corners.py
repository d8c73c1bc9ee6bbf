"""What JPEG costs a board's corners and the focal length.

    python -m benchmarks.jpeg_corners DIR...       # each as `python -m benchmarks.whole_rig DIR --draw-only` makes it

Drawn boards with noise of 2 of 255 are packed at several qualities and calibrated; corners are held against those of
the pictures as they are.
"""  # noqa: E501 # what is typed stays on one line

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from calibration.board import OWN, BoardView, find_board
from calibration.rgb import CameraFound, find_camera
from models.geometry import Bytes

QUALITIES = (80, 90, 95, 98, 100)
NOISE = 2.0


def views_of(pictures: list[Bytes]) -> list[BoardView]:
    """Boards found in them."""
    found = [
        find_board(np.asarray(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), np.uint8), OWN, name=str(k))
        for k, one in enumerate(pictures)
    ]
    return [one for one in found if isinstance(one, BoardView)]


def line(words: str, views: list[BoardView], plain: list[BoardView], *, size_px: tuple[int, int]) -> str:
    """How far off corners and focal length are."""
    there = {one.name: one for one in plain}
    off = np.concatenate(
        [
            one.corners_px[np.isin(one.ids, there[one.name].ids)]
            - there[one.name].corners_px[np.isin(there[one.name].ids, one.ids)]
            for one in views
            if one.name in there
        ]
    )
    found = find_camera(views, OWN, size_px=size_px, left_out=[], flat=False)
    if not isinstance(found, CameraFound):
        return f"{words}  refused: {found}"
    camera = found.calibrated
    bound = 1.96 * np.sqrt(camera.covariance[0, 0])
    return f"{words}  corners {off.std():.4f} px rms  fx {camera.values[0]:.3f} +- {bound:.3f} px"


def main() -> None:
    """Pack, calibrate, tell."""
    parser = argparse.ArgumentParser(prog="benchmarks.jpeg_corners", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    for folder in parser.parse_args().folders:
        rng = np.random.default_rng(1)
        pictures: list[Bytes] = []
        for file in sorted((folder / "rgb").glob("*.png")):
            drawn = np.asarray(cv2.imread(str(file), cv2.IMREAD_COLOR), float)
            noisy = drawn + rng.normal(0.0, NOISE, drawn.shape)
            pictures.append(np.clip(noisy, 0.0, 255.0).astype(np.uint8))
        size_px, plain = (pictures[0].shape[1], pictures[0].shape[0]), views_of(pictures)
        print(line(f"{folder.name}: as they are{'':18}", plain, plain, size_px=size_px), flush=True)
        for quality in QUALITIES:
            begun_s = time.process_time()
            packed = [cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for one in pictures]
            each_ms = 1000.0 * (time.process_time() - begun_s) / len(pictures)
            kb = sum(len(one) for one in packed) / len(packed) / 1000.0
            back = [np.asarray(cv2.imdecode(one, cv2.IMREAD_COLOR), np.uint8) for one in packed]
            words = f"{folder.name}: JPEG {quality:3d} {kb:5.0f} kB {each_ms:4.1f} ms"
            print(line(words, views_of(back), plain, size_px=size_px), flush=True)


if __name__ == "__main__":
    main()
