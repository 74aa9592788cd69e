"""`ipvs-est oracle` as the group lists it; `command.main` takes the call before click is there."""

import click


@click.command(
    "oracle",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def oracle_command(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Answer operations as the kernel would."""
    from ipvs_est.__main__ import main
    from ipvs_est_checks.explore.schedule_lines import ScheduleLines

    context.exit(main(arguments, ScheduleLines))
