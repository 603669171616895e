"""`unrolled`, and `python -m rnn`."""

from __future__ import annotations

import io
import sys

from autograd.extras import MissingExtraError, require

__all__ = ["main"]


def main() -> None:
    """Run the command line; exit status 2 for what the user can mend."""
    try:
        for library in ("click", "rich", "safetensors"):
            require(library, "all", "The command unrolled")
    except MissingExtraError as error:
        sys.exit(f"unrolled: {error}")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="replace")  # δ becomes ? rather than an error
    from rnn.command import cli

    cli(prog_name="unrolled")


if __name__ == "__main__":
    main()
