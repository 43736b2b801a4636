"""Which marker counts, and what is said of one that can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Collect, MakeSuite, Run, UsageErrorOf


def ids(matrix: list[dict[str, object]]) -> list[object]:
    return [job["group_id"] for job in matrix]


def test_innermost_marker_wins(make_suite: MakeSuite, run: Run) -> None:
    make_suite(
        {
            "test_levels.py": """
pytestmark = pytest.mark.group("module")

def test_of_module(): ...

@pytest.mark.group("class")
class TestLevels:
    def test_of_class(self): ...

    @pytest.mark.group("function")
    @pytest.mark.parametrize("x", ["function", pytest.param("set", marks=pytest.mark.group("set"))])
    def test_of(self, x): ...

    class TestInner:
        def test_of_outer_class(self): ...

    @pytest.mark.group("inner")
    class TestMarkedInner:
        def test_of_inner_class(self): ...
"""
        }
    )
    expected = {
        "module": ["test_of_module"],
        "class": ["test_of_class", "test_of_outer_class"],
        "function": ["test_of[function]"],
        "set": ["test_of[set]"],
        "inner": ["test_of_inner_class"],
    }
    for group, names in expected.items():
        result = run("test_levels.py", f"--group={group}", "-v")
        result.assert_outcomes(passed=len(names), deselected=6 - len(names))
        result.stdout.fnmatch_lines([f"*::{name.replace('[', '[[]')} PASSED*" for name in names])


@pytest.mark.parametrize(
    ("decorators", "parameters"),
    [
        pytest.param("", "argvalues", id="parametrize"),
        pytest.param(
            "@pytest.mark.group(1)\n",
            "argvalues",
            id="parametrize below a marked function",
        ),
        pytest.param("@pytest.mark.group(1)\n", "fixture", id="fixture parameters"),
    ],
)
def test_parameter_sets_have_groups_of_their_own(
    make_suite: MakeSuite, collect: Collect, decorators: str, parameters: str
) -> None:
    sets = "[pytest.param('a', marks=pytest.mark.group('AWS')), pytest.param('b', marks=[pytest.mark.group('GCP')])]"
    if parameters == "fixture":
        text = f"@pytest.fixture(params={sets})\ndef cloud(request): ...\n{decorators}def test_cloud(cloud): ..."
    else:
        text = f"{decorators}@pytest.mark.parametrize('cloud', {sets})\ndef test_cloud(cloud): ..."
    make_suite({"test_clouds.py": text})
    assert ids(collect()) == ["AWS", "GCP"]


def test_derived_class_wins_over_its_base(make_suite: MakeSuite, collect: Collect) -> None:
    make_suite(
        {
            "test_classes.py": """
@pytest.mark.group("base")
class TestBase:
    def test_deploy(self): ...

@pytest.mark.group("derived")
class TestDerived(TestBase): ...

class TestInherited(TestBase): ...
"""
        }
    )
    assert ids(collect()) == ["base", "derived"]
    assert ids(collect("test_classes.py::TestDerived")) == ["derived"]
    assert ids(collect("test_classes.py::TestInherited")) == ["base"]


def test_unittest_case(make_suite: MakeSuite, collect: Collect) -> None:
    make_suite(
        {
            "test_case.py": """
import unittest

@pytest.mark.group(1)
class TestCase(unittest.TestCase):
    def test_one(self): ...

    @pytest.mark.group(2)
    def test_two(self): ...
"""
        }
    )
    assert ids(collect()) == ["1", "2"]


def test_int_and_str_are_one_group(make_suite: MakeSuite, run: Run, collect: Collect) -> None:
    make_suite(
        {
            "test_ids.py": """
@pytest.mark.group(1)
def test_int(): ...

@pytest.mark.group("1")
def test_str(): ...

@pytest.mark.group("01")
def test_another(): ...
"""
        }
    )
    run("test_ids.py", "--group=1").assert_outcomes(passed=2, deselected=1)
    run("test_ids.py", "--group=01").assert_outcomes(passed=1, deselected=2)
    assert {group["group_id"]: group["group_number"] for group in collect()} == {"1": 1, "01": "01"}


def test_the_same_group_twice_on_one_level_is_one_group(make_suite: MakeSuite, collect: Collect) -> None:
    make_suite({"test_twice.py": "@pytest.mark.group(1)\n@pytest.mark.group('1')\ndef test_twice(): ..."})
    assert ids(collect()) == ["1"]


def test_markers_from_a_hook_count(make_suite: MakeSuite, collect: Collect) -> None:
    make_suite(
        {
            "conftest.py": """
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.group(item.name))
""",
            "test_hook.py": """
def test_unmarked(): ...

@pytest.mark.group(1)
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.group(2))])
def test_marked(x): ...
""",
        }
    )
    assert ids(collect()) == ["test_marked[1]", "test_unmarked"]


def test_runner_in_each_form(make_suite: MakeSuite, collect: Collect) -> None:
    make_suite(
        {
            "test_runners.py": """
@pytest.mark.group(1)
def test_default(): ...

@pytest.mark.group(2)
@pytest.mark.runner("ubuntu-24.04-arm")
def test_str(): ...

@pytest.mark.group(3)
@pytest.mark.runner(["self-hosted", "linux", "X64", "jammy", "large"])
class TestList:
    def test_one(self): ...

    @pytest.mark.runner(("self-hosted", "linux", "X64", "jammy", "large"))
    def test_tuple(self): ...
"""
        }
    )
    assert [job["runner"] for job in collect()] == [
        None,
        "ubuntu-24.04-arm",
        ["self-hosted", "linux", "X64", "jammy", "large"],
    ]


WRITE_GROUP = "Write, for example, @pytest.mark.group(1)."
WRITE_LABELS = (
    "needs one label, or one list of labels. Write, for example, "
    '@pytest.mark.runner("ubuntu-24.04-arm") or @pytest.mark.runner(["self-hosted", "linux", "large"]).'
)


def holds(characters: str, instead: str) -> str:
    return (
        f"contains {characters} (not allowed in an artifact's name or a shell line). "
        f'Write, for example, @pytest.mark.group("{instead}").'
    )


# What a marker is, and what is said of it.
WRONG = [
    ("group", f"@pytest.mark.group() needs exactly one ID. {WRITE_GROUP}"),
    ("group()", f"@pytest.mark.group() needs exactly one ID. {WRITE_GROUP}"),
    (
        "group(1, 2)",
        f"@pytest.mark.group(1, 2) needs exactly one ID. {WRITE_GROUP}",
    ),
    (
        "group(id=1)",
        f"@pytest.mark.group(id=1) needs exactly one ID. {WRITE_GROUP}",
    ),
    *(
        (
            f"group({value})",
            (
                f"the ID in @pytest.mark.group({value}) is neither an int nor a str. "
                'Write, for example, @pytest.mark.group(1) or @pytest.mark.group("backup").'
            ),
        )
        for value in ("1.5", "None", "True", "[1]", "b'1'")
    ),
    *(
        (
            f"group({value})",
            f'the ID in @pytest.mark.group({value}) is empty. Write, for example, @pytest.mark.group("backup").',
        )
        for value in ("''", "'  '")
    ),
    *(
        (
            f"group({f'a{character}b'!r})",
            f"the ID in @pytest.mark.group({f'a{character}b'!r}) " + holds(ascii(character)[1:-1], "a-b"),
        )
        for character in "\\/\"':<>|*?\n\r\t\0\x7f\x85\ud800"
    ),
    (
        "group('a/b:c/d')",
        f"the ID in @pytest.mark.group('a/b:c/d') {holds('/ :', 'a-b-c-d')}",
    ),
    ("runner", f"@pytest.mark.runner() {WRITE_LABELS}"),
    ("runner('a', 'b')", f"@pytest.mark.runner('a', 'b') {WRITE_LABELS}"),
    ("runner('')", f"@pytest.mark.runner('') {WRITE_LABELS}"),
    ("runner([])", f"@pytest.mark.runner([]) {WRITE_LABELS}"),
    ("runner(['linux', 1])", f"@pytest.mark.runner(['linux', 1]) {WRITE_LABELS}"),
    (
        "runner(['linux', ' '])",
        f"@pytest.mark.runner(['linux', ' ']) {WRITE_LABELS}",
    ),
    ("runner('a\\nb')", f"@pytest.mark.runner('a\\nb') {WRITE_LABELS}"),
    ("runner({'linux'})", f"@pytest.mark.runner({{'linux'}}) {WRITE_LABELS}"),
]


@pytest.mark.parametrize("option", ["--collect-groups", "--group=1"])
def test_markers_that_cannot_be_used(make_suite: MakeSuite, usage_error: UsageErrorOf, option: str) -> None:
    tests = (f"@pytest.mark.{marker}\ndef test_{number}(): ...\n" for number, (marker, _) in enumerate(WRONG))
    make_suite({"tests/test_a.py": "".join(tests)})
    assert usage_error("tests", option).split("\n\n") == [
        f"tests/test_a.py:{2 + 2 * number}: test_{number}: {message}" for number, (_, message) in enumerate(WRONG)
    ]


def test_marker_that_python_cannot_write(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    suite = """
class Broken:
    def __repr__(self): raise RuntimeError

@pytest.mark.group(10**5000)
def test_long(): ...

@pytest.mark.group(Broken())
def test_broken(): ...
"""
    make_suite({"test_a.py": suite})
    long, broken = usage_error("--collect-groups").split("\n\n")
    assert long == (
        "test_a.py:6: test_long: the ID in @pytest.mark.group(<int>) has more digits than Python writes. "
        "Write, for example, @pytest.mark.group(1)."
    )
    assert broken.startswith(
        "test_a.py:9: test_broken: the ID in @pytest.mark.group(<Broken>) is neither an int nor a str. Write, "
    )


def test_every_marker_that_cannot_be_used_is_told_of_once(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(
        {
            "test_a.py": "pytestmark = pytest.mark.group()\ndef test_one(): ...\ndef test_two(): ...",
            "test_b.py": """
@pytest.mark.group(1.5)
class TestB:
    def test_one(self): ...
    def test_two(self): ...

@pytest.mark.group(None)
@pytest.mark.parametrize("x", range(100))
def test_many(x): ...
""",
        }
    )
    hint = 'Write, for example, @pytest.mark.group(1) or @pytest.mark.group("backup").'
    assert usage_error("--collect-groups") == (
        f"test_a.py:1: @pytest.mark.group() needs exactly one ID. {WRITE_GROUP}\n\n"
        f"test_b.py:3: TestB: the ID in @pytest.mark.group(1.5) is neither an int nor a str. {hint}\n\n"
        f"test_b.py:8: test_many[0]: the ID in @pytest.mark.group(None) is neither an int nor a str. {hint}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "@pytest.mark.group(1)\n@pytest.mark.group('a')\ndef test_one(): ...",
            "test_a.py:3: test_one: 2 group markers on one function: "
            "@pytest.mark.group('a'), @pytest.mark.group(1). Keep one of them.",
            id="function",
        ),
        pytest.param(
            "@pytest.mark.group(1)\n@pytest.mark.group('a')\nclass TestA:\n    def test_one(self): ...",
            "test_a.py:3: TestA: 2 group markers on the class TestA: "
            "@pytest.mark.group('a'), @pytest.mark.group(1). Keep one of them.",
            id="class",
        ),
        pytest.param(
            "pytestmark = [pytest.mark.group(1), pytest.mark.group(2), pytest.mark.slow]\ndef test_one(): ...",
            "test_a.py:1: 2 group markers on one module: "
            "@pytest.mark.group(1), @pytest.mark.group(2). Keep one of them.",
            id="module",
        ),
        pytest.param(
            "@pytest.mark.group(0)\n"
            "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.group(1))])\n"
            "@pytest.mark.parametrize('y', [pytest.param(1, marks=pytest.mark.group(2))])\n"
            "def test_one(x, y): ...",
            "test_a.py:3: test_one[1-1]: 2 group markers on one parameter set: "
            "@pytest.mark.group(2), @pytest.mark.group(1). Keep one of them.",
            id="parameter set",
        ),
        pytest.param(
            "@pytest.mark.group(0)\n@pytest.mark.runner('a')\n@pytest.mark.runner('b')\ndef test_one(): ...",
            "test_a.py:3: test_one: 2 runner markers on one function: "
            "@pytest.mark.runner('b'), @pytest.mark.runner('a'). Keep one of them.",
            id="runner",
        ),
    ],
)
def test_two_markers_on_one_level(make_suite: MakeSuite, usage_error: UsageErrorOf, text: str, message: str) -> None:
    make_suite({"pytest.ini": "[pytest]\nmarkers = slow", "test_a.py": f"\n{text}"})
    assert usage_error("--collect-groups", "--strict-markers") == message


def test_two_markers_added_by_hooks(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(
        {
            "conftest.py": """
def pytest_itemcollected(item):
    item.add_marker(pytest.mark.group(1))

def pytest_collection_modifyitems(items):
    items[0].add_marker(pytest.mark.group(2))
""",
            "test_a.py": "def test_one(): ...",
        }
    )
    assert usage_error("--collect-groups") == (
        "test_a.py:2: test_one: 2 group markers added by hooks: "
        "@pytest.mark.group(1), @pytest.mark.group(2). Keep one of them."
    )


@pytest.mark.parametrize("option", ["--collect-groups", "--group=1"])
def test_all_tests_without_a_group_are_listed(make_suite: MakeSuite, usage_error: UsageErrorOf, option: str) -> None:
    make_suite(
        {
            "tests/integration/test_a.py": """
def test_one(): ...

@pytest.mark.group(1)
def test_two(): ...

class TestA:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.group(1)), 2])
    def test_three(self, x): ...
"""
        }
    )
    assert usage_error("tests", option) == (
        "2 tests without a group:\n"
        "  tests/integration/test_a.py:3: test_one\n"
        "  tests/integration/test_a.py:9: TestA::test_three[2]\n"
        "Write @pytest.mark.group(1) above each test or its class, or pytestmark = pytest.mark.group(1) at the top of "
        "a file with only one group. To put all tests without a marker into one group of their file, set "
        "default_group = 1 in pytest's configuration."
    )


@pytest.mark.parametrize("name", ["conftest.py", "marked/__init__.py"])
def test_pytestmark_that_marks_nothing(make_suite: MakeSuite, usage_error: UsageErrorOf, name: str) -> None:
    make_suite({name: "pytestmark = pytest.mark.group(1)", "marked/test_a.py": "def test_one(): ..."})
    message = usage_error("marked", "--collect-groups")
    assert message.startswith(
        "1 test without a group:\n  marked/test_a.py:2: test_one\nWrite @pytest.mark.group(1) above"
    )
    assert message.endswith(f"\n{name} has a pytestmark. There, pytest ignores it: it marks nothing.")


def test_items_that_are_no_functions(make_suite: MakeSuite, usage_error: UsageErrorOf, collect: Collect) -> None:
    suite = make_suite(
        {
            "conftest.py": """
class Scenario(pytest.Item):
    def runtest(self): ...

class ScenarioFile(pytest.File):
    def collect(self):
        yield Scenario.from_parent(self, name="deploy")

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".scenario":
        return ScenarioFile.from_parent(parent, path=file_path)
""",
            "charm.scenario": "",
            "test_doc.py": "def f():\n    '''\n    >>> f()\n    '''",
        }
    )
    assert usage_error("--collect-groups", "--doctest-modules") == (
        "2 tests without a group:\n"
        "  charm.scenario: deploy\n"
        "  test_doc.py:3: test_doc.f\n"
        "Write @pytest.mark.group(1) above each test or its class, or pytestmark = pytest.mark.group(1) at the top of "
        "a file with only one group. To put all tests without a marker into one group of their file, set "
        "default_group = 1 in pytest's configuration.\n"
        "A test that isn't a Python function can't have a decorator: in conftest.py, let "
        "pytest_collection_modifyitems(items) call item.add_marker(pytest.mark.group(1))."
    )
    with (suite / "conftest.py").open("a") as conftest:
        conftest.write(
            "def pytest_collection_modifyitems(items):\n"
            "    for item in items:\n"
            "        item.add_marker(pytest.mark.group('other'))\n"
        )
    jobs = collect("--doctest-modules")
    assert [job["job_name"] for job in jobs] == [
        "charm.scenario | group other",
        "test_doc.py | group other",
    ]


def test_runners_of_a_group_disagree(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(
        {
            "tests/test_a.py": """
pytestmark = pytest.mark.group("ha")

@pytest.mark.runner("large")
def test_one(): ...

@pytest.mark.runner(["self-hosted", "large"])
def test_two(): ...

def test_three(): ...
"""
        }
    )
    assert usage_error("tests", "--collect-groups") == (
        "the tests of group ha in tests/test_a.py ask for different runners:\n"
        "  tests/test_a.py:5: test_one: large\n"
        "  tests/test_a.py:8: test_two: ['self-hosted', 'large']\n"
        "Keep one of the runners, or put the tests into different groups."
    )


@pytest.mark.parametrize("first", ["", '@pytest.mark.runner("large")'])
def test_test_without_a_runner_follows_its_group(make_suite: MakeSuite, collect: Collect, first: str) -> None:
    make_suite(
        {
            "test_a.py": f"""
pytestmark = pytest.mark.group("ha")

{first}
def test_one(): ...

@pytest.mark.runner("large")
def test_two(): ...

def test_three(): ...

@pytest.mark.group("other")
def test_of_another_group(): ...
"""
        }
    )
    assert [(job["group_id"], job["runner"]) for job in collect()] == [("ha", "large"), ("other", None)]


ONE_MARKED = {
    "test_a.py": """
def test_unmarked(): ...

@pytest.mark.group("backup")
def test_marked(): ...
""",
    "test_b.py": "class TestB:\n    def test_unmarked(self): ...",
}


@pytest.mark.parametrize(
    ("file", "text", "group"),
    [
        ("pytest.ini", "[pytest]\ndefault_group = 1", "1"),
        ("pytest.ini", "[pytest]\ndefault_group = a b", "a b"),
        ("tox.ini", "[pytest]\ndefault_group = 1", "1"),
        ("setup.cfg", "[tool:pytest]\ndefault_group = 1", "1"),
        ("pyproject.toml", "[tool.pytest.ini_options]\ndefault_group = 1", "1"),
        ("pyproject.toml", '[tool.pytest.ini_options]\ndefault_group = "one"', "one"),
        *([("pytest.toml", "[pytest]\ndefault_group = '1'", "1")] if pytest.version_tuple >= (9,) else []),
        *([("pytest.toml", "[pytest]\ndefault_group = 1", "1")] if pytest.version_tuple >= (9, 2) else []),
    ],
)
def test_default_group(make_suite: MakeSuite, collect: Collect, file: str, text: str, group: str) -> None:
    suite = make_suite(ONE_MARKED)
    (suite / file).write_text(text)
    jobs = collect("--strict-config", "--strict-markers")
    assert {job["job_name"] for job in jobs} == {
        f"test_a.py | group {group}",
        "test_a.py | group backup",
        f"test_b.py | group {group}",
    }


def test_default_group_is_run(make_suite: MakeSuite, run: Run) -> None:
    make_suite(ONE_MARKED | {"pytest.ini": "[pytest]\ndefault_group = a b"})
    run("test_a.py", "--group=a b").assert_outcomes(passed=1, deselected=1)
    run("test_b.py", "--group=a b").assert_outcomes(passed=1)
    run().assert_outcomes(passed=3)


def test_default_group_on_the_command_line(make_suite: MakeSuite, run: Run, usage_error: UsageErrorOf) -> None:
    make_suite(ONE_MARKED | {"pytest.ini": "[pytest]\ndefault_group = 1"})
    run("test_b.py", "--group=2", "-o", "default_group=2").assert_outcomes(passed=1)
    assert usage_error("test_b.py", "--group=2", "-o", "default_group=").startswith("1 test without a group:\n")


@pytest.mark.parametrize(
    ("value", "characters", "example"), [("a/b", "/", "a-b"), ('"x"', '"', "-x-"), ("a: b\x1b", r": \x1b", "a- b-")]
)
@pytest.mark.parametrize("option", ["--collect-groups", "--group=1"])
def test_default_group_that_cannot_be_used(
    make_suite: MakeSuite, usage_error: UsageErrorOf, value: str, characters: str, example: str, option: str
) -> None:
    make_suite({"test_a.py": "def test_one(): ..."})
    assert usage_error("test_a.py", option, "-o", f"default_group={value}") == (
        f"the ID in default_group = {value} contains {characters} (not allowed in an artifact's name or a shell line). "
        f"Write, for example, default_group = {example}."
    )


if pytest.version_tuple >= (9,):  # which reads pytest.toml

    def test_default_group_of_another_type(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
        make_suite({"test_a.py": "def test_one(): ...", "pytest.toml": "[pytest]\ndefault_group = [1]"})
        message = usage_error("--collect-groups")
        assert "config option 'default_group' expects " in message
        assert "got list: [1]" in message
