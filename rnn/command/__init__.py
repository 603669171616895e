"""The command line, where networks and pictures meet."""

from __future__ import annotations

from typing import Any

import click

from autograd.extras import MissingExtraError
from rnn.command import demo, inspect, text, train
from rnn.files import ModelFileError
from rnn.series import DataError

__all__ = ["cli"]


class _Group(click.Group):
    """Errors that the user can mend are a line on standard error and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DataError, ModelFileError, MissingExtraError) as error:
            raise _Mendable(str(error)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _Mendable(f"{where}{error.strerror or error}") from error


class _Mendable(click.ClickException):
    exit_code = 2


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unrolled")
def cli() -> None:
    """See backpropagation through time.

    `unrolled demo` trains the lecture's recurrent network on three centuries of
    sunspots, holds its gradients against the formulas derived by hand, and draws the
    graph it was unrolled into.
    """


for command in (
    demo.demo, train.train, text.generate, inspect.graph, inspect.flow, inspect.check
):  # fmt: skip
    cli.add_command(command)
