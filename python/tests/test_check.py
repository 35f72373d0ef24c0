import json
import os
import subprocess

import pytest
from conftest import PHOTOS

import pristine_iqa
from pristine_iqa._program import find_program

ISSUES = "dark,truncated,missing,blurry"


def test_the_issues_are_those_of_the_program(photos):
    done = subprocess.run(
        [find_program(), "check", os.fspath(PHOTOS), "--issues", ISSUES, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    right = json.loads(done.stdout)
    result = pristine_iqa.check(PHOTOS, ISSUES)
    assert result.issues == right["issues"]
    assert (result.images, result.with_issue) == (len(photos), right["with_issue"])
    assert [issue["count"] for issue in pristine_iqa.check(photos, ISSUES.split(",")).issues] == [issue["count"] for issue in result.issues]
    assert repr(result).startswith("CheckResult(images=%d, with_issue=%d, blurry=" % (result.images, result.with_issue))
    assert result["dark"]["examples"][0]["image"]
    with pytest.raises(KeyError, match="found 'odd'"):
        result["odd"]


def test_thresholds_reach_the_program_and_filter_drops_what_check_finds(photos):
    usual, more = (pristine_iqa.check(PHOTOS, "dark", thresholds=thresholds, examples=1000)["dark"] for thresholds in ({}, {"dark": 0.5}))
    assert more["threshold"] == 0.5 and more["count"] > usual["count"] > 0
    result = pristine_iqa.filter(PHOTOS, drop_issue="dark", thresholds={"dark": 0.5})
    dropped = {entry["image"] for entry in result.ledger if not entry["kept"]}
    assert {example["image"] for example in more["examples"]} <= dropped
    with pytest.raises(pristine_iqa.CommandError, match="dork"):
        pristine_iqa.check(PHOTOS, "dork")


def test_the_issues_are_a_frame():
    pytest.importorskip("pandas")
    df = pristine_iqa.check(PHOTOS, ISSUES).frame()
    assert set(df.name) == set(ISSUES.split(","))
    assert str(df.dtypes["count"]) == "Int64" and (df.share <= 1).all()
