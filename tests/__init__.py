"""A package, so that it goes before one of the same name that torch-fidelity installs beside itself."""
