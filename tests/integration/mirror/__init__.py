"""The mirror of carts on chain: pages of events make carts and orders."""
