"""What docs/python.md shows is what happens."""

import contextlib
import io
import re
import warnings

import pytest
from conftest import SAMPLES

PAGE = SAMPLES.parent / "docs" / "python.md"


def test_the_examples_print_what_stands_below_them(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(SAMPLES.parent)
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 4
    names = {}
    for code, output in examples:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            # The page opens a file without closing it.
            warnings.simplefilter("ignore", ResourceWarning)
            exec(code, names)
        assert printed.getvalue() == output
