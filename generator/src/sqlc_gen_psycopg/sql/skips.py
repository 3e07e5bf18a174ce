"""The queries that `@skip` leaves out, whatever is wrong with them."""

import re

from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sql import query_files
from sqlc_gen_psycopg.sqlc.request import Query, Request

_SKIP = re.compile(r"^\s*@skip\b(?P<reason>.*)$")


def without_skipped(asked: Request, problems: Problems) -> Request:
    """Return a request without the queries to be skipped, each of which is a warning.

    A skip without a reason is a problem.
    """
    if not any("@skip" in line for query in asked.queries for line in query.comments):
        return asked
    written = query_files.read(asked)
    kept: list[Query] = []
    for query in asked.queries:
        source = written.get((query.filename, query.name))
        lines = source.comment if source else query.comments
        skips = [found["reason"].strip() for found in map(_SKIP.match, lines) if found]
        if not skips:
            kept.append(query)
        elif not skips[0]:
            problems.add(
                query.where,
                "@skip without a reason",
                "write it behind, as in `-- @skip until the view is there`",
            )
        else:
            where = f"{source.file if source else query.filename}: {query.name}"
            problems.warn(f"{where}: skipped: {skips[0]}")
    return asked._replace(queries=tuple(kept))
