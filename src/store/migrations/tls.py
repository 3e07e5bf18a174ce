"""TLS with the server as libpq has it, for what cannot go through libpq.

https://www.postgresql.org/docs/current/libpq-ssl.html says what libpq looks at.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from ..errors import MigrationError

__all__ = ["Tls", "of"]


@dataclass(frozen=True, slots=True)
class Tls:
    """What is demanded of the server, by which name, and if without asking first."""

    context: ssl.SSLContext
    name: str
    is_direct: bool


def of(conn: Connection[Any]) -> Tls | None:
    """Give what a connection's own TLS demands; None where it has none.

    Raises:
        MigrationError: a file that it names cannot be used.
    """
    if not conn.pgconn.ssl_in_use:
        return None
    known = {
        option.keyword.decode(): option.val.decode()
        for option in conn.pgconn.info
        if option.val
    }
    try:
        context = _context(known)
    except (OSError, ValueError, KeyError) as error:
        raise MigrationError(
            "cannot lead dbmate to the server with the TLS that the URL demands: "
            f"{error}"
        ) from None
    is_direct = known.get("sslnegotiation") == "direct"
    return Tls(context, conn.info.host, is_direct)


def _context(known: dict[str, str]) -> ssl.SSLContext:
    home = Path.home() / ".postgresql"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["postgresql"])
    mode = known.get("sslmode", "prefer")
    context.check_hostname = mode == "verify-full"
    authorities = known.get("sslrootcert") or str(home / "root.crt")
    if authorities == "system":
        context.load_default_certs()
    elif mode.startswith("verify-") or Path(authorities).exists():
        context.load_verify_locations(authorities)
    else:
        context.verify_mode = ssl.CERT_NONE
    revoked = Path(known.get("sslcrl") or home / "root.crl")
    revoked_in = known.get("sslcrldir")
    if revoked.exists() or revoked_in:
        context.load_verify_locations(revoked if revoked.exists() else None, revoked_in)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    certificate = Path(known.get("sslcert") or home / "postgresql.crt")
    if certificate.exists() and known.get("sslcertmode") != "disable":
        key = known.get("sslkey") or home / "postgresql.key"
        context.load_cert_chain(certificate, key, known.get("sslpassword", ""))
    if oldest := known.get("ssl_min_protocol_version"):
        context.minimum_version = ssl.TLSVersion[oldest.replace(".", "_")]
    if newest := known.get("ssl_max_protocol_version"):
        context.maximum_version = ssl.TLSVersion[newest.replace(".", "_")]
    return context
