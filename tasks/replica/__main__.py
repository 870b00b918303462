"""``python -m tasks.replica``: serve the embedded sky as the archives would."""

import argparse
import sys
from pathlib import Path

from schemas import BadInput
from tasks.replica.serve import cache_folder, serve


def main() -> int:
    """Parse the command line and serve until interrupted; 2 for bad input, which is printed as one sentence."""
    parser = argparse.ArgumentParser(prog="python -m tasks.replica", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes any free one")
    parser.add_argument("--n-objects", type=int, default=5000, help="objects of the sky")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sky")
    parser.add_argument("--folder", type=Path, default=cache_folder(), help="where the holdings are kept")
    parser.add_argument("--parent", type=int, default=None, help="process to end with")
    parser.add_argument("--dies-with-parent", action="store_true", help="let the kernel end it with its parent too")
    given = parser.parse_args()
    try:
        serve(given.n_objects, given.seed, given.folder, given.port, given.parent, given.dies_with_parent)
    except (BadInput, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
