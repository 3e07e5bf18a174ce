"""The generator measured, alone and inside sqlc, beside its peers."""
