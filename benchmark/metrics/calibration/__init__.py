"""Do metrics react as they must? The perfect answers of a rendered world are damaged in steps, and every metric is read
at every step.

    calibration = calibrate(World(task, config), ["lepe", "counterfactual"])
    draw(calibration, Path("calibration.png"))

`damages.py` says what is done to the answers, `claims.py` which score must see it and which must not, `measure.py`
measures and judges, `figure.py` draws. On the command line: `bench calibrate`.
"""

from benchmark.metrics.calibration.claims import FLAT, REACTS, claim
from benchmark.metrics.calibration.damages import DAMAGES, Damage
from benchmark.metrics.calibration.figure import draw
from benchmark.metrics.calibration.measure import calibrate

__all__ = ["DAMAGES", "FLAT", "REACTS", "Damage", "calibrate", "claim", "draw"]
