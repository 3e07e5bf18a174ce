"""What a person runs: a project begun, generated, and checked against its server."""
