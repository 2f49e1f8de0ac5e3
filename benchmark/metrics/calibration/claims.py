"""Which score must see which damage, and which it must not: stated here, before anything is measured.

    claim("lepe[procedural-68[1a2b],64px]", "identity")     # "flat"

A Frechet distance compares sets: it must see what no real picture looks like, and cannot see that items got each
other's person or pose. LEPE and SPS ask what is where, never how it looks. Eye patches ask how it looks, the identity
distance who it is. A counterfactual distance knows the whole answer. Nothing is claimed of a detector or parser on
blurred, noisy or compressed pictures: it may or may not stand them.
"""

from __future__ import annotations

REACTS, FLAT = "reacts", "flat"

_PIXELS = ("blur", "noise", "jpeg", "colour")
_MISTAKES = ("identity", "landmarks", "parsing")


def _claims(reacts: tuple[str, ...], flat: tuple[str, ...] = ()) -> dict[str, str]:
    return {**dict.fromkeys(reacts, REACTS), **dict.fromkeys(flat, FLAT)}


_OF_SETS = _claims(_PIXELS, _MISTAKES)
_OF_POINTS = _claims(("landmarks",), ("colour", "identity"))
_OF_PARSINGS = _claims(("parsing",), ("colour", "identity"))
_OF_TRUTHS = _claims(_PIXELS + _MISTAKES)

# by the id without its protocol; a counterfactual score's region belongs to the name
CLAIMS = {
    "fid": _OF_SETS,
    "frechet": _OF_SETS,
    "lepe": _OF_POINTS,
    "lepe-asked": _OF_POINTS,
    "eye-patch": _claims(("blur", "noise", "jpeg", "colour", "identity"), ("landmarks",)),
    "identity": _claims(("identity",), ("landmarks",)),
    "counterfactual-l1[whole]": _OF_TRUTHS,
    "counterfactual-psnr[whole]": _OF_TRUTHS,
    "counterfactual-ssim[whole]": _OF_TRUTHS,
    "counterfactual-features": _OF_TRUTHS,
    "sps-pixel": _OF_PARSINGS,
    "sps-class": _OF_PARSINGS,
    "sps-iou": _OF_PARSINGS,
}


def claimed(metric: str) -> bool:
    """Whether anything is claimed of the score with this id."""
    return bool(_of(metric))


def claim(metric: str, damage: str) -> str | None:
    """`REACTS`, `FLAT` or None, where nothing is claimed."""
    return _of(metric).get(damage)


def _of(metric: str) -> dict[str, str]:
    return CLAIMS.get(metric) or CLAIMS.get(metric.split("[")[0], {})
