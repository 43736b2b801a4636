"""pytest's hooks for groups: the options, the markers, and what a run with one of the options does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_operator_groups._groups import Group


# The options are added here and not in pytest_addoption, since only now every other plugin and conftest.py has added
# its own: an option that is taken can be reported, whatever the order in which plugins were loaded.
@pytest.hookimpl(trylast=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    """Add the options."""
    groups = [*getattr(parser, "_groups", ()), *filter(None, [getattr(parser, "_anonymous", None)])]
    if any("--group" in option.names() or option.dest == "group" for group in groups for option in group.options):
        if early_config.pluginmanager.has_plugin("pytest-split"):
            raise pytest.UsageError(
                "pytest-split and pytest-operator-groups both have an option --group. "
                "Run with one of them: pytest -p no:pytest-split, or pytest -p no:pytest_operator_groups."
            )
        raise pytest.UsageError(
            "another plugin, or a conftest.py, has an option --group, or keeps one as `group`, "
            "as pytest-operator-groups does. "
            "Switch that plugin off with pytest -p no:NAME (pytest --trace-config names them all), or this one with "
            "pytest -p no:pytest_operator_groups."
        )
    options = parser.getgroup("operator-groups", "groups of tests (pytest-operator-groups)")
    options.addoption(
        "--group",
        metavar="ID",
        help="run the tests of one file that are marked with @pytest.mark.group(ID), and deselect its other tests",
    )
    options.addoption(
        "--collect-groups",
        action="store_true",
        help="run nothing: write the groups of all tests to the file that GITHUB_OUTPUT names as groups=JSON, else the "
        "JSON to stdout, and show them in a table",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and the hooks of the option that was given."""
    config.addinivalue_line(
        "markers", "group(ID): an int or a str that names the tests of one file that run together on one machine"
    )
    config.addinivalue_line(
        "markers", "runner(LABELS): the label, or the list of labels, of the machine that the test's group runs on"
    )
    # Where markers are strict, pytest 9.1 and later refuses -m 'not unstable' unless it is registered.
    config.addinivalue_line(
        "markers", "unstable: fails now and then; integration_test_charm.yaml runs such tests on schedule alone"
    )
    group, collect_groups = config.getoption("group", None), config.getoption("collect_groups", False)
    if group is not None and collect_groups:
        raise pytest.UsageError(
            "--group runs one group and --collect-groups lists them all, without running any. Give one of the two."
        )
    if collect_groups:
        config.pluginmanager.register(_GroupCollection(config))
    elif group is not None:
        config.pluginmanager.register(_GroupRun(config, group))


class _Collected:
    """What is known of the collection: how many tests there were, and that their deselection came to its end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.before_deselection: int | None = None
        self.is_complete = False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, None]:
        self.before_deselection = len(items)
        outcome = yield
        self.is_complete = outcome.excinfo is None

    def groups(self, items: Sequence[pytest.Item]) -> list[Group]:
        """Return the groups of the items that are left after deselection.

        Raises:
            pytest.UsageError: No test was found, or the tests don't make groups.
        """
        from pytest_operator_groups._groups import GroupsError, group_tests

        if not self.before_deselection:
            raise pytest.UsageError(
                f"pytest found no test in: {' '.join(self.config.args)}\n"
                "Name the file or the directory that has the tests, for example: pytest tests/integration"
            )
        try:
            return group_tests(items, self.config.invocation_params.dir)
        except GroupsError as error:
            raise pytest.UsageError(str(error)) from None


class _GroupRun(_Collected):
    """A run with --group=ID."""

    def __init__(self, config: pytest.Config, group: str) -> None:
        super().__init__(config)
        self.group = group
        self.workers = _Workers(config)

    # After every pytest_collection_modifyitems, whoever wraps it, and before anyone counts or sends the items.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        stops_at_errors = not self.config.getoption("continue_on_collection_errors")
        if not self.is_complete or (session.testsfailed and stops_at_errors):
            return
        try:
            deselected = self.select(session.items)
        except pytest.UsageError as error:
            self.workers.raise_in_controller(session, error)
        else:
            self.config.hook.pytest_deselected(items=deselected)

    def select(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """Leave the group's items alone in the list, and return the others."""
        from pytest_operator_groups._groups import relative

        files = sorted(relative(path, self.config.invocation_params.dir) for path in {item.path for item in items})
        if len(files) > 1:
            raise pytest.UsageError(
                f"--group={self.group} runs a group of one test file, but pytest found tests in {len(files)}:\n"
                + "".join(f"  {file}\n" for file in files)
                + f"Name one of them: pytest {files[0]} --group={self.group}"
            )
        groups = self.groups(items)
        if not items:
            return []
        selected = next((group.tests for group in groups if group.id == self.group), None)
        if selected is None:
            deselected = (self.before_deselection or 0) - len(items)
            raise pytest.UsageError(
                f'{files[0]} has no group "{self.group}". It has: {", ".join(group.id for group in groups)}\n'
                + (f"(-k, -m, --deselect or a plugin left out {deselected} of its tests.)\n" if deselected else "")
                + f"Write, for example: {groups[0].command}"
            )
        in_group = set(map(id, selected))
        others = [item for item in items if id(item) not in in_group]
        items[:] = [item for item in items if id(item) in in_group]
        return others


class _Workers:
    """pytest-xdist's workers: each collects on its own, and the controller alone can tell the user what is wrong."""

    _KEY = "pytest_operator_groups_error"

    def __init__(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self)

    def raise_in_controller(self, session: pytest.Session, error: pytest.UsageError) -> None:
        """Raise the error, or, in a worker, leave it to the controller and run nothing."""
        output = getattr(session.config, "workeroutput", None)
        if output is None:
            raise error
        output[self._KEY] = str(error)
        session.items.clear()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        message = getattr(node, "workeroutput", {}).get(self._KEY)
        if message:
            raise pytest.UsageError(message)


class _GroupCollection(_Collected):
    """A run with --collect-groups."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.is_written = False
        # Tells every plugin that nothing will run: pytest-xdist starts no worker, for example.
        config.option.collectonly = True

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_finish(self) -> Generator[None, Any, None]:
        # The terminal reporter prints the tree of all items here, where it is told of --collect-only.
        self.config.option.collectonly = False
        yield
        self.config.option.collectonly = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None  # pytest reports the errors of the collection.
        self.write(self.groups(session.items))
        self.is_written = True
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.is_written and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def write(self, groups: list[Group]) -> None:
        """Write the groups for GitHub and for people.

        Raises:
            pytest.UsageError: There are too many groups, or a file can't be written.
        """
        import json

        from pytest_operator_groups._groups import GroupsError, count, matrix
        from pytest_operator_groups._output import markdown_table, text_table

        try:
            groups_json = json.dumps(matrix(groups))
        except GroupsError as error:
            raise pytest.UsageError(str(error)) from None
        title = f"{count(len(groups), 'group')} of {count(sum(len(group.tests) for group in groups), 'test')}"
        if os.environ.get("GITHUB_STEP_SUMMARY"):
            self.append("GITHUB_STEP_SUMMARY", [f"### {title}", "", *markdown_table(groups)])
        has_output = self.append("GITHUB_OUTPUT", [f"groups={groups_json}"])
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and terminal.verbosity > -2:
            terminal.section(title)
            for line in text_table(groups):
                terminal.write_line(line)
        if not has_output and terminal is not None:
            terminal.write_line(groups_json)
        elif not has_output:
            print(groups_json)

    @staticmethod
    def append(variable: str, lines: list[str]) -> bool:
        """Append lines to the file that an environment variable names, and return whether it names one."""
        from pytest_operator_groups._output import append

        path = os.environ.get(variable)
        if not path:
            return False
        try:
            append(path, lines)
        except OSError as error:
            raise pytest.UsageError(
                f"can't write to {path}, the file that {variable} names: {error.strerror}. "
                f"Outside GitHub Actions, unset it: env -u {variable} pytest --collect-groups"
            ) from None
        return True
