"""Many calls at once, whose every result has an explanation."""
