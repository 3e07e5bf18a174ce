"""From a query, as sqlc sends it and as it is inferred, to what is rendered."""
