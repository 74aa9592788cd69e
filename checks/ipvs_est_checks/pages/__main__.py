"""`python -m ipvs_est_checks.pages docs/reference`: write the generated pages."""

import sys
from pathlib import Path

from ipvs_est_checks.pages.generated import PAGES, page_text


def main() -> int:
    """Write every page into the directory named; the exit code."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print("usage: python -m ipvs_est_checks.pages DIRECTORY", file=sys.stderr)
        return 2
    for name in PAGES:
        page = Path(sys.argv[1]) / name
        page.parent.mkdir(exist_ok=True)
        page.write_text(page_text(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
