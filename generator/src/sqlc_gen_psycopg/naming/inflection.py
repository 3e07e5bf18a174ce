"""Singular forms of English table names."""

_IRREGULAR = {
    "analyses": "analysis",
    "axes": "axis",
    "bases": "base",
    "bonuses": "bonus",
    "buses": "bus",
    "caches": "cache",
    "children": "child",
    "cookies": "cookie",
    "crises": "crisis",
    "criteria": "criterion",
    "databases": "database",
    "diagnoses": "diagnosis",
    "feet": "foot",
    "geese": "goose",
    "heroes": "hero",
    "indices": "index",
    "matrices": "matrix",
    "men": "man",
    "mice": "mouse",
    "movies": "movie",
    "people": "person",
    "potatoes": "potato",
    "quizzes": "quiz",
    "shoes": "shoe",
    "ties": "tie",
    "tomatoes": "tomato",
    "vertices": "vertex",
    "women": "woman",
    "halves": "half",
    "knives": "knife",
    "leaves": "leaf",
    "lives": "life",
    "shelves": "shelf",
    "wives": "wife",
    "wolves": "wolf",
}
_UNCHANGED = {"data", "media", "metadata", "movies_data", "news", "series", "species"}
_SUFFIXES = (
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("tuses", "tus"),
    ("ruses", "rus"),
    ("xes", "x"),
    ("zzes", "zz"),
    ("ies", "y"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
    ("s", ""),
)


def singular(name: str) -> str:
    """Make the last word of a snake_case name singular."""
    head, underscore, word = name.rpartition("_")
    return f"{head}{underscore}{_singular_word(word)}"


def _singular_word(word: str) -> str:
    low = word.lower()
    if low in _UNCHANGED or len(low) <= 2:  # noqa: PLR2004 - "is", "us" have no plural
        return word
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    for plural, ending in _SUFFIXES:
        if low.endswith(plural):
            return word[: len(word) - len(plural)] + ending
    return word
