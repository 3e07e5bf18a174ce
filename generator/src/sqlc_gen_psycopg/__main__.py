"""The console script: sqlc's plugin, and what a person runs."""

import gc
import os
import sys

from sqlc_gen_psycopg import plugin, problems

_METHOD = "/plugin.CodegenService/Generate"


def main() -> int:
    """Answer sqlc, or do what the command's arguments ask for."""
    # A chain of thousands of operators is a tree as deep.
    sys.setrecursionlimit(100_000)
    if sys.argv[1:] in ([], [_METHOD]):
        return _answer()
    # sqlc's way has no use for it, nor the time.
    from sqlc_gen_psycopg.command import cli  # noqa: PLC0415

    return cli.main(sys.argv[1:])


def _answer() -> int:
    """Answer one request; exit code 1 with every problem on stderr if refused."""
    # The process ends with its answer: looking for garbage is a fifth of its time.
    gc.disable()
    data = b"" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read()
    if not data:
        sys.stderr.write(
            "sqlc-gen-psycopg waits for sqlc, which calls it with a request; run "
            "`sqlc-gen-psycopg generate`, or `sqlc-gen-psycopg --help`\n"
        )
        return 2
    try:
        answer = plugin.answer(data)
    except problems.RefusedError as refused:
        sys.stderr.write(f"sqlc-gen-psycopg refuses to generate:\n{refused}\n")
        return 1
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
    # Taking the interpreter down, object by object, is an eighth of its time.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
