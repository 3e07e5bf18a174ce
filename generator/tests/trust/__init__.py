"""Whether what the generated code promises is what the database gives."""
