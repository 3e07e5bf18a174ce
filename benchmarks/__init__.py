"""The store beside its peers: the same work on the same data in one run."""
