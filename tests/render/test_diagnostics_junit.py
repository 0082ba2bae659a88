"""Diagnostics as JUnit XML, read by a reader of such files and held against what Jenkins' schema allows."""

from xml.etree import ElementTree

import pytest
from hostile import HOSTILE, checked_for
from hypothesis import given, settings
from junitparser import Failure, JUnitXml, TestCase

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.render.diagnostics import Checked, render
from reconciler.harmless import harmless

# Element: attributes that must stand, attributes that may, elements within. From junit-10.xsd of the xunit plug-in.
JENKINS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"time", "skipped", "timestamp", "file"}, {"testcase"}),
    "testcase": ({"name"}, {"time", "classname"}, {"failure", "skipped", "system-out"}),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def read(*found: Diagnostic, paths: tuple[str, ...] = ()) -> tuple[str, JUnitXml]:
    """The report, as text and as a reader of such reports understands it."""
    text = render("junit", found, checked=Checked(len(paths), 1, paths))
    return text, JUnitXml.fromstring(text.encode("utf-8"))


def test_each_file_is_a_case() -> None:
    """It fails with its errors and tells its warnings."""
    error = Diagnostic("RC203", 'not a "text"', Span("connectors/b.yaml", 3, 5), "", "quote it")
    other = Diagnostic("RC201", "unknown key <a>", Span("connectors/b.yaml", 4, 5))
    warning = Diagnostic("RC603", "inactive", Span("connectors/c.yaml", 7, 1))
    lone = Diagnostic("RC104", "it ends & ends", Span("connectors/d.yaml", 9, 1))
    text, _ = read(error, other, warning, lone, paths=("connectors/a.yaml", "connectors/b.yaml", "connectors/c.yaml"))
    assert text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites name="reconciler validate" tests="4" failures="2" errors="0">\n'
        '  <testsuite name="definitions" tests="4" failures="2" errors="0" skipped="0" time="0">\n'
        '    <testcase classname="definitions" name="connectors/a.yaml" time="0"/>\n'
        '    <testcase classname="definitions" name="connectors/b.yaml" time="0">\n'
        '      <failure message="2 errors" type="errors">'
        'connectors/b.yaml:3:5: error[RC203]: not a "text"\n'
        "  hint: quote it\n"
        "connectors/b.yaml:4:5: error[RC201]: unknown key &lt;a&gt;</failure>\n"
        "    </testcase>\n"
        '    <testcase classname="definitions" name="connectors/c.yaml" time="0">\n'
        "      <system-out>connectors/c.yaml:7:1: warning[RC603]: inactive</system-out>\n"
        "    </testcase>\n"
        '    <testcase classname="definitions" name="connectors/d.yaml" time="0">\n'
        '      <failure message="it ends &amp; ends" type="RC104">'
        "connectors/d.yaml:9:1: error[RC104]: it ends &amp; ends</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_a_reader_of_such_reports_understands_it(found: list[Diagnostic]) -> None:
    """One case for each file; those with errors fail, and say of each what it is."""
    text = render("junit", found, checked=checked_for(found))
    (suite,) = JUnitXml.fromstring(text.encode("utf-8"))
    cases = {case.name: case for case in suite}
    assert cases.keys() == {clean(item.span.file) for item in found} | {"connectors/good.yaml"}
    failing = {item.span.file for item in found if item.severity is Severity.ERROR}
    assert (suite.tests, suite.failures, suite.errors) == (len(cases), len(failing), 0)
    for item in found:
        case = cases[clean(item.span.file)]
        said = failure_of(case) if item.severity is Severity.ERROR else case.system_out
        assert f"{item.severity}[{item.code}]: {clean(item.message)}" in said
        assert clean(item.hint) in said


def failure_of(case: TestCase) -> str:
    """The text of the case's one failure."""
    (failure,) = case.result
    assert isinstance(failure, Failure)
    return failure.text


def clean(text: str) -> str:
    """`text` as XML can hold it."""
    return harmless(text)


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_jenkins_schema_allows_it(found: list[Diagnostic]) -> None:
    """No element or attribute that it does not know, and none missing."""
    for element in ElementTree.fromstring(render("junit", found, checked=checked_for(found))).iter():
        required, optional, inside = JENKINS[element.tag]
        assert required <= set(element.keys()) <= required | optional
        assert {child.tag for child in element} <= inside


@pytest.mark.parametrize("path", ["reconciler.yaml", "connectors/none.yaml"])
def test_a_fault_of_a_file_that_was_not_listed_is_not_lost(path: str) -> None:
    """Such as one of the settings."""
    _, report = read(Diagnostic("RC201", "unknown key", Span(path)), paths=("connectors/a.yaml",))
    assert [(case.name, bool(case.result)) for suite in report for case in suite] == sorted(
        [("connectors/a.yaml", False), (path, True)]
    )
