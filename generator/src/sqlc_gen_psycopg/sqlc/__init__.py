"""What sqlc sends, and what sqlc.yaml says of the output."""
