"""The doctor, on databases and servers with faults."""
