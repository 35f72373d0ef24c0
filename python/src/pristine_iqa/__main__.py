"""The command ``pristine``: ``pristine ...`` and ``python -m pristine_iqa ...`` run the program of this package."""

import os
import subprocess
import sys

from ._program import find_program
from .errors import PristineError


def main() -> int:
    """Runs the program with this process's arguments and gives its exit code."""
    try:
        program = find_program()
    except PristineError as error:
        print("pristine: %s" % error, file=sys.stderr)
        return 1
    arguments = [program] + sys.argv[1:]
    if os.name == "nt":
        return subprocess.call(arguments)
    # The program takes this process's place: signals, terminal and exit code are its own.
    os.execv(program, arguments)


if __name__ == "__main__":
    sys.exit(main())
