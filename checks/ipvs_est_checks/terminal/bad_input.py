"""What every command says of input that cannot be used."""

import click

from ipvs_est_checks.terminal import exit_codes


class BadInputError(click.ClickException):
    """One line that names the option or the file, without click's usage."""

    exit_code = exit_codes.BAD_INPUT
