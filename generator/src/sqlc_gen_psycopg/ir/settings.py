"""What the whole output depends on."""

from typing import NamedTuple


class Settings(NamedTuple):
    """The settings of the output, where it is, and who makes it.

    ``own_package`` is the top-level package that it is in.
    """

    version: str
    sqlc_version: str
    emit_sync: bool
    emit_async: bool
    emit_init_file: bool
    emit_querier: bool
    omit_unused_models: bool
    is_pydantic: bool
    is_frozen: bool
    has_open_enums: bool
    models_package: str
    own_package: str
