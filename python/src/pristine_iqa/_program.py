"""Where the program is, and how it is called."""

import os
import stat
from typing import List, Optional, Sequence, Union

from .errors import ProgramNotFound

PROGRAM_VARIABLE = "PRISTINE_PROGRAM"
"""Environment variable with the full path of another program than that of the package."""

Names = Union[str, Sequence[str]]
PathLike = Union[str, "os.PathLike[str]"]


def find_program() -> str:
    """The full path of the program ``pristine``.

    Raises:
        ProgramNotFound: The package has none, as in a source checkout, or ``PRISTINE_PROGRAM`` names no file.
    """
    named = os.environ.get(PROGRAM_VARIABLE)
    if named:
        if not os.path.isfile(named):
            raise ProgramNotFound("Expected %s to name a file; found %r." % (PROGRAM_VARIABLE, named))
        return os.path.abspath(named)
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program", "pristine.exe" if os.name == "nt" else "pristine")
    if not os.path.isfile(program):
        raise ProgramNotFound(
            "Expected the program at %s; there is none. Install a wheel (python/build.sh makes one), or set %s to the path of the program."
            % (program, PROGRAM_VARIABLE)
        )
    # Some installers drop the permission to run it.
    if os.name != "nt" and not os.access(program, os.X_OK):
        os.chmod(program, os.stat(program).st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program


def names(value: Names) -> List[str]:
    """One name, names separated by commas, or several of them, as a list."""
    parts = value.split(",") if isinstance(value, str) else [str(part) for part in value]
    return [part.strip() for part in parts if part.strip()]


def texts(value: Names) -> List[str]:
    """One text, or several, as a list."""
    return [value] if isinstance(value, str) else [str(text) for text in value]


def scoring_arguments(
    *,
    metrics: Optional[Names] = None,
    cascade: Names = (),
    heads: Names = (),
    networks: Names = (),
    device: Optional[str] = None,
    workers: Optional[int] = None,
    image_root: Optional[PathLike] = None,
    image_field: Optional[str] = None,
    max_megapixels: Optional[float] = None,
    image_timeout: Optional[float] = None,
    keep_truncated: bool = False,
) -> List[str]:
    """The arguments that commands which score have in common."""
    arguments: List[str] = []

    def add(name: str, value: object) -> None:
        if value is not None:
            arguments.extend([name, str(value)])

    if metrics is not None:
        add("--metrics", ",".join(names(metrics)))
    for rule in texts(cascade):
        add("--cascade", rule)
    for head in texts(heads):
        add("--head", head)
    for network in texts(networks):
        add("--metric", network)
    add("--device", device)
    add("--workers", workers)
    add("--image-root", None if image_root is None else os.fspath(image_root))
    add("--image-field", image_field)
    add("--max-megapixels", max_megapixels)
    add("--image-timeout", image_timeout)
    if keep_truncated:
        add("--truncated", "keep")
    return arguments


def message(stderr: str, otherwise: str) -> str:
    """What the program said of its end: its last lines that begin with its name, else all of it."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " ".join(told(stderr) or lines[-5:]) or otherwise


def told(stderr: str) -> List[str]:
    """What the program says of a run besides its summary: the lines that begin with its name, without it."""
    return [line.strip()[len("pristine: "):] for line in stderr.splitlines() if line.strip().startswith("pristine: ")]
