"""What a query's parse tree proves about its columns: type, nullability, origin.

sqlc's own analysis says NOT NULL of nearly every expression, and guesses the types of
overloaded functions. Here nothing is said that cannot be shown.
"""
