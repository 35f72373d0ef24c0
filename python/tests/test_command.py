import subprocess
import sys

import pytest

import pristine_iqa
from pristine_iqa._program import find_program


def test_the_command_is_on_the_path_and_is_the_program_of_the_package(tmp_path):
    import os
    import sysconfig

    command = os.path.join(sysconfig.get_path("scripts"), "pristine")
    if not os.path.exists(command):
        pytest.skip("The package is not installed in this environment.")
    for line in ([command], [sys.executable, "-m", "pristine_iqa"]):
        done = subprocess.run(line + ["--version"], stdout=subprocess.PIPE, check=True)
        assert pristine_iqa.__version__ in done.stdout.decode()
        assert subprocess.run(line + ["score", "nowhere"], stderr=subprocess.PIPE).returncode == 1


def test_a_program_elsewhere_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PRISTINE_PROGRAM", str(tmp_path / "nothing"))
    with pytest.raises(pristine_iqa.ProgramNotFound, match="Expected PRISTINE_PROGRAM to name a file"):
        pristine_iqa.Scorer()


def test_a_package_without_its_program_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.delenv("PRISTINE_PROGRAM", raising=False)
    monkeypatch.setattr("pristine_iqa._program.__file__", str(tmp_path / "_program.py"))
    with pytest.raises(pristine_iqa.ProgramNotFound, match="python/build.sh makes one"):
        find_program()


def test_importing_loads_nothing_large():
    code = "import sys, pristine_iqa, pristine_iqa.adapters; print([m for m in ('pandas', 'numpy', 'torch', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.strip() == b"[]"
