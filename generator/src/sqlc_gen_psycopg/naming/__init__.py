"""Python names out of SQL names."""
