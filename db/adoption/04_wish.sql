-- Where the migrations are run next, to see what they make.
CREATE SCHEMA adoption;
SET LOCAL search_path = adoption;
