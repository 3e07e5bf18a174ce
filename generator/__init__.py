"""The generator's folder, a package so that its tests can be imported."""
