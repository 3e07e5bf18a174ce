"""What the schema files say that sqlc's catalog leaves out, statement by statement."""
