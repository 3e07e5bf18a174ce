"""What awaits the database; `store._sync` is generated from it by `make sync`."""
