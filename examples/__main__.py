"""`python3 examples`: starts the sandbox provider and the demo shop, and says where to look."""

import sys

import _boot  # type: ignore[import-not-found]

if __name__ == "__main__":
    _boot.enter(__file__)
    from examples.shop.__main__ import main

    sys.exit(main(sys.argv[1:]))
