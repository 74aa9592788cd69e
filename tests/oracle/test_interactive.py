"""What a person sees who looks around in an interpreter."""

import pydoc
import subprocess
import sys

import ipvs_est
from command_line import environment
from ipvs_est import Oracle


def test_all_names_are_listed_before_they_are_loaded() -> None:
    program = "import ipvs_est; print('\\n'.join(dir(ipvs_est)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ipvs_est.__all__) <= set(done.stdout.split())


def test_help_tells_what_an_oracle_does() -> None:
    text = pydoc.plain(pydoc.render_doc(Oracle))
    for name in ("apply", "snapshot", "state", "violations"):
        method = getattr(Oracle, name)
        assert (method.__doc__ or "").strip()
        assert name in text
