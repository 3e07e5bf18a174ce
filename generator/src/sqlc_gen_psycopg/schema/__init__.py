"""The schema's files, read for what sqlc's catalog leaves out."""
