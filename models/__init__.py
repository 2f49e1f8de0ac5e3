"""The paper's method: networks, losses, the one training loop, pix2pixSC and its ablations."""
