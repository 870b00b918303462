"""Prefect's command line as a process that ends with the one that started it: python -m flows.kept PARENT ARGUMENTS."""

from __future__ import annotations

import sys


def main(parent: int, arguments: list[str]) -> None:
    """Run `prefect` with these arguments until it ends or the process `parent` has ended."""
    from prefect.cli import app

    from schemas.parent import end_with

    end_with(parent)
    sys.argv = ["prefect", *arguments]
    app()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
