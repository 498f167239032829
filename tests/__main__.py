"""`python3 tests`: style, types, import rules and all tests. `python3 tests --help` says more."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
    import _boot  # type: ignore[import-not-found]

    _boot.enter(__file__)
    from _run import main

    sys.exit(main(sys.argv[1:]))
