"""Train or measure a shipped labeler of a rendered world: landmarks of faces, joints of dancers, parsings of streets.

    python scripts/train_procedural_labeler.py dance               # train (8 to 10 CPU-minutes, one thread)
    python scripts/train_procedural_labeler.py dance --evaluate    # error on dancers it has never seen

The networks see pictures from the renderers' seed 1; the presets' data and the measured error are of seed 0. (A run
with data.seed=1 is scored by a network that has learnt its pictures.) Pictures are degraded (blur, noise, colour, lost
resolution, patches), because the networks will have to read the output of young GANs, and those that find points see
many that show nobody, so that they can say so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import torch
from procedural_labeler import dance, face, street, training

WORLDS = {"face": face, "dance": dance, "street": street}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", choices=WORLDS)
    parser.add_argument("--evaluate", action="store_true", help="measure the shipped weights instead of training")
    parser.add_argument("--people", type=int, default=None, help="rendered people, dancers or scenes")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None, help="weight file to write (default: the shipped one)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    world = WORLDS[options.world]
    if options.evaluate:
        world.evaluate(options.people or world.EVALUATION)
    else:
        network = world.train(options.people or world.TRAINING, options.steps or world.STEPS, options.seed)
        training.save(network, options.out or world.WEIGHTS)


if __name__ == "__main__":
    main()
