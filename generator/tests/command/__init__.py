"""The generator's command."""
