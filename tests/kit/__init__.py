"""The kit, as a user of it sees it."""
