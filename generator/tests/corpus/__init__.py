"""The check of the generator on foreign projects."""
