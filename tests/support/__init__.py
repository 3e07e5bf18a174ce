"""The harness: servers, databases, the proxy."""
