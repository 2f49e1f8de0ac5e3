"""The one exception a user is meant to see: one line, exit code 2, no traceback. And the one that says "continue me".

`raise BenchError("config.toml: train.stepz: unknown key; did you mean train.steps?")`
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """A mistake the user can mend. The message is one line that names the file, the field and the nearest valid
    choice.
    """


class Preempted(KeyboardInterrupt):
    """SIGTERM or SIGUSR1 asked for an end: what is finished is kept, and the same command goes on from there."""


CONTINUE_ME = 75  # exit code (EX_TEMPFAIL of sysexits.h): stopped before the end, to be started again as it was


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean X?` for the closest choice, or the list of choices when nothing is close."""
    known = sorted(choices)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; valid: {', '.join(known)}" if known else ""
