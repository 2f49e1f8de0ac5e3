"""Why a frame of a video is not used. The message is the reason, one of a handful so that they can be counted."""

from __future__ import annotations


class Dropped(Exception):
    """A rule of selection passes the frame over: a profile, a face that is too small."""


class BadInput(Dropped):
    """Something is wrong with the frame, or with what was given for it: nobody in it, an unreadable file."""
