"""The photos of the repository, and the program as a user calls it, which says what is right."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest

from pristine_iqa._program import find_program
from pristine_iqa.adapters import close

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PHOTOS = SAMPLES / "photos"


def command_rows(*arguments: str, **options: Any) -> List[Dict[str, Any]]:
    """The rows of a command that writes JSON lines."""
    done = subprocess.run([find_program(), *arguments, "--format", "jsonl"], stdout=subprocess.PIPE, check=True, **options)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def photos() -> List[str]:
    return sorted(os.fspath(path) for path in PHOTOS.glob("*.jpg"))


@pytest.fixture(scope="session")
def expected(photos: List[str]) -> Dict[str, Dict[str, Any]]:
    """The program's own rows by path, of the metrics brisque and sharpness."""
    rows = command_rows("score", "-", "--metrics", "brisque,sharpness", input="\n".join(photos).encode())
    return {row["id"]: row for row in rows}


@pytest.fixture(autouse=True)
def _close_workers() -> Any:
    yield
    close()
