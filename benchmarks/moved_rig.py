"""A thermal camera that was turned: how often the check finds it, and whether the session's bound then holds.

``python -m benchmarks.moved_rig [--rigs 24]`` prints a table. Corners of the target are drawn with their
noise, the rig is off by half of what is usual where calibration states nothing, and then turned. Skin lies
0.4, 0.6 and 1 m away.
"""

from __future__ import annotations

import argparse

import numpy as np

from calibration.check_cameras import USUAL_SIGMA, check_cameras
from calibration.check_parts import cameras_part
from calibration.check_views import CAUSES
from calibration.sheets import TARGET
from models.rig_checked import RigChecked
from models.rig_moved import relied_on
from models.thermal_place import place_u95_px
from tests.calibration.test_check import KNOWN, RIG, views_of
from tests.calibration.test_check_widens import NOW, missed_px

AWAY_MM = (400.0, 600.0, 1000.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=24)
    rigs = int(parser.parse_args().rigs)
    print("turned by    found    beyond the bound    bound / what it misses by (median)")
    for degrees in (0.5, 1.0):
        found, beyond, shares = 0, 0, list[float]()
        for seed in range(rigs):
            rng = np.random.default_rng([seed, 77])
            causes = 0.5 * USUAL_SIGMA * rng.normal(size=len(CAUSES))
            causes[7] = 0.0
            causes[CAUSES.index("ry_rad")] += np.radians(degrees)
            told = check_cameras(views_of(rng, causes), TARGET.corners_mm, RIG, known=KNOWN)
            if told.state != "moved":
                continue
            found += 1
            wide = relied_on(RIG, RigChecked(NOW, "", (cameras_part(told),)), now=NOW).thermal
            assert wide is not None
            for away_mm in AWAY_MM:
                points = RIG.rgb.unproject(np.array([[320.0, 180.0], [200.0, 120.0]])) * away_mm
                share = place_u95_px(wide, points) / missed_px(causes, points)
                shares.append(share)
                beyond += share < 1.0
        middle = f"{np.median(shares):.2f}" if shares else "-"
        print(
            f"{degrees:4.1f} deg   {found:3d} of {rigs}    {beyond:4d} of {len(shares):3d}          {middle}"
        )


if __name__ == "__main__":
    main()
