"""`unrolled`, and `python -m rnn`."""

from __future__ import annotations

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
    from rnn.command import cli

    cli(prog_name="unrolled")


if __name__ == "__main__":
    main()
