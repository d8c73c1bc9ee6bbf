"""The one exception for trouble that the user can mend."""

from __future__ import annotations


class InputError(Exception):
    """Bad input, told in one sentence: what is wrong, where, and what to do.

    Front ends print the sentence and leave with exit code 2, without a traceback.
    """
