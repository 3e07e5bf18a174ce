-- A schema beside, where the migrations are run next that 07 to 10 convert the tables to.
CREATE SCHEMA adoption;
SET LOCAL search_path = adoption;
