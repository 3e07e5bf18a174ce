"""What the check finds, and what it counts."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of findings, as the report calls them."""

    CRASH = "the plugin crashed, or refused without naming file, query and remedy"
    LOST = "a query of sqlc's has no function, or another SQL text"
    IMPORT = "a module does not import"
    HINTS = "annotations do not resolve at run time"
    RUFF = "ruff check"
    FORMAT = "ruff format"
    MYPY = "mypy --strict"
    PYRIGHT = "pyright strict"
    ERROR = "an error of the generated code's: adaptation, argument type, arity"
    STUCK = "a function never ran without an error, though its query runs by hand"
    VIOLATION = "a value contradicts its annotation"
    OPTIONAL = "a NOT NULL column is Optional"
    OTHER_TYPE = "a type is not the one that PREPARE says"
    OPEN_TYPE = "a type is left open that PREPARE says"
    BROKEN = "the check itself failed on a case"
    UNTYPED = "a column is typed Any or object"
    REFUSED = "refused, clearly"
    REFUSED_TOO = "refused where sqlc's own tests expect an error, or no function"
    REJECTED = "PostgreSQL rejects a statement that sqlc accepts"
    SCHEMA = "a statement of the schema fails on this server"
    UNFILLED = "a table that could not be filled"
    DATA = "an error of the drawn data's"
    UNPROVEN = "a query that never returned a row"


# What may happen without a fault of the generator's.
TOLERATED = frozenset(
    {
        Kind.UNTYPED,
        Kind.REFUSED,
        Kind.REFUSED_TOO,
        Kind.REJECTED,
        Kind.SCHEMA,
        Kind.UNFILLED,
        Kind.DATA,
        Kind.UNPROVEN,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing found, in one case; `query` may be empty."""

    kind: Kind
    case: str
    query: str
    detail: str


@dataclass(slots=True)
class Findings:
    """All that was found so far; each finding counts once."""

    found: dict[Finding, None] = field(default_factory=dict[Finding, None])
    counts: Counter[str] = field(default_factory=Counter[str])

    def add(self, kind: Kind, case: str, query: str, detail: str) -> None:
        """Note a finding."""
        self.found[Finding(kind, case, query, detail)] = None

    def of(self, kind: Kind) -> list[Finding]:
        """List the findings of one kind, by case."""
        return sorted(finding for finding in self.found if finding.kind is kind)
