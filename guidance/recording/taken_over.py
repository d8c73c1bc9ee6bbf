"""What was handed on to a live session, taken into a new analysis of its pictures."""

from __future__ import annotations

from dataclasses import replace

from guidance.stages.state import Setup


def taken_over(setup: Setup, then: Setup, *, known: bool) -> Setup:
    """The setup of an analysis, with what the session itself began with.

    No picture of a session that went on from an interrupted one shows what the skin had had before; its
    recording holds that among its settings. It is taken as it was handed on, whatever the history has learnt
    of the interrupted session since, so that the analysis adds up as the session did.

    Args:
        setup: Of the analysis, the history taken in.
        then: What the recorded session was set up with at its beginning.
        known: Whether the history was read: without it, what had been used up by then is as it was then.

    Returns:
        The setup; of the session total never less is used up, and the blood flow is never more, than the
        history or an interrupted session says.
    """
    if then.carried is None and then.made is None:
        if known:
            return setup
        return replace(setup, session_used_s=then.session_used_s, perfusion=then.perfusion)
    return replace(
        setup,
        carried=then.carried or setup.carried,
        made=then.made,
        session_used_s=max(setup.session_used_s, then.session_used_s),
        perfusion=min(setup.perfusion, then.perfusion),
    )
