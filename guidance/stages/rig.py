"""Stage: whether the skin cools where and when the jet should cool it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidance.stages.jet import Contact
from guidance.stages.state import Setup, State
from models.capture import Capture
from models.rig_check import RigWatch, SeenPicture, compare, feel_jet, see_cooling


def check_rig(state: State, capture: Capture, setup: Setup, contact: Contact) -> State:
    """Hold jet and thermal picture against each other; to be called after `guidance.stages.skin.read_skin`.

    Nothing is said without a thermal camera, a nozzle and skin that are known in millimetres.
    """
    on_skin = state.on_skin
    if setup.rig is None or setup.rig.thermal is None or setup.rig.nozzle is None or on_skin is None:
        return replace(state, rig_watch=None)
    chart, skin = on_skin.chart, on_skin.skin
    watch = state.rig_watch
    if watch is None or len(watch.weight) != len(chart) or watch.reference_t_s != chart.reference_t_s:
        watch = RigWatch.start(chart)
    watch = feel_jet(watch, contact.weight, gas=capture.gas_now, t_s=capture.t_s)
    newest_s = float(np.nanmax(skin.t_s, initial=-np.inf))
    if np.isfinite(newest_s):
        watch = see_cooling(watch, SeenPicture(newest_s, skin.degc, skin.t_s == newest_s))
    if contact.spot_u95_mm is not None:
        watch = compare(watch, chart=chart, spot_u95_mm=contact.spot_u95_mm)
    return replace(state, rig_watch=watch)
