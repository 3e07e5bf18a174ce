"""What functions take, and what comes."""
