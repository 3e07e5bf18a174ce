"""What the planner makes of a project's queries on tables of any size."""
