"""`ipvs-est harness`."""

import sys
from pathlib import Path

import click

from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.harness.building.options import Variant


@click.command("harness")
@click.argument("path", metavar="TREE", type=NamedPath())
@click.option(
    "--variant",
    type=click.Choice([variant.value for variant in Variant]),
    default=Variant.PLAIN.value,
    show_default=True,
    help="How the tree's files are compiled.",
)
def harness(path: Path, variant: str) -> None:
    """Answer operations with the code of a Linux tree.

    The estimator of TREE is compiled into a program of its own, in seconds, for the parameters
    of each configuration; the tree is only read. What it speaks is the language of `oracle`, so
    it is a subject as any other. Needs a C compiler.

    plain: as recorded. sanitised: under AddressSanitizer. points: finds uses of freed memory.
    """
    from ipvs_est_checks.harness.building.tree import read_tree
    from ipvs_est_checks.harness.front import serve

    serve(read_tree(path), Variant(variant), sys.stdin.buffer, sys.stdout.buffer)
