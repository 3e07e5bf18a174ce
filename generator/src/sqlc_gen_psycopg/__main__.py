"""The console script: sqlc's request on stdin, the generated files on stdout."""

import gc
import os
import sys

from sqlc_gen_psycopg import plugin, problems


def main() -> int:
    """Answer one request; exit code 1 with every problem on stderr if refused."""
    # The process ends with its answer: looking for garbage is a fifth of its time.
    gc.disable()
    # A chain of thousands of operators is a tree as deep.
    sys.setrecursionlimit(100_000)
    try:
        answer = plugin.answer(sys.stdin.buffer.read())
    except problems.RefusedError as refused:
        sys.stderr.write(f"sqlc-gen-psycopg refuses to generate:\n{refused}\n")
        return 1
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
    # Taking the interpreter down, object by object, is an eighth of its time.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
