"""Whether what a step found is accepted, as the terminal says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Judged(Protocol):
    """What a step found, with its verdict."""

    @property
    def refusal(self) -> str | None:
        """Why it is not good enough, in a sentence; None = it is."""
        ...


_Judged = TypeVar("_Judged", bound=Judged)


def accepted(judged: _Judged | str, told: Callable[[_Judged], Sequence[str]]) -> _Judged | None:
    """Tell what was found and whether it is accepted.

    Args:
        judged: What was found, or a sentence why nothing could be.
        told: Its lines.

    Returns:
        What was found; None where it is refused.
    """
    if isinstance(judged, str):
        print(f"REFUSED. {judged}")
        return None
    print("\n".join(told(judged)))
    if judged.refusal is not None:
        print(f"REFUSED. {judged.refusal}")
        return None
    print("Accepted.")
    return judged
