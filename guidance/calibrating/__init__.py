"""``cryoguide calibrate live``: the page of a guided calibration, and what runs behind it."""
