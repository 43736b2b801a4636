"""pytest's hooks for groups: the options, the markers, and the runs with one of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_operator_groups.suite.groups import Group


# The error of a worker of pytest-xdist.
_ERROR = "pytest_operator_groups_error"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the ini option, and the hook that comes before conftest.py."""
    # A number in pytest.toml is an int. Before 9.2, pytest accepts only a str there, and says so.
    types: Any = str | int if pytest.version_tuple >= (9, 2) else "string"
    parser.addini(
        "default_group", "the group of the tests without @pytest.mark.group(ID), in each file", types, default=""
    )
    pluginmanager.register(_BeforeConftest())


class _BeforeConftest:
    """What has to be done before conftest.py is imported."""

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, parser: pytest.Parser, args: list[str]
    ) -> Generator[None, None, None]:
        if "--group" in args:
            # Until the option is added, pytest takes the ID in `--group ID` for a path, and imports its conftest.py.
            from pytest_operator_groups.suite.command_line import join_option

            args[:] = join_option(args, "--group")
            early_config.known_args_namespace.file_or_dir = parser.parse_known_args(args).file_or_dir
        yield


# The options are added here and not in pytest_addoption, because all other plugins and conftest.py have added theirs by
# now: an option that is taken can be reported, whatever the order of the plugins.
@pytest.hookimpl(trylast=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    """Add the options.

    Raises:
        pytest.UsageError: Another plugin has one of them.
    """
    import argparse
    import re

    from pytest_operator_groups.suite.command_line import option_conflict

    try:
        is_taken = hasattr(parser.parse_known_args([]), "group")
        if not is_taken:
            _add_options(parser)
            # Before 9.2, pytest finds out here that a name is taken.
            parser.parse_known_args([])
    except (argparse.ArgumentError, ValueError) as error:
        # Two other plugins may have the same option, which is their affair.
        if not re.search("--group(?![\\w-])", str(error)):
            raise
        is_taken = True
    if is_taken:
        raise pytest.UsageError(str(option_conflict(early_config.pluginmanager.has_plugin("pytest-split"))))


def _add_options(parser: pytest.Parser) -> None:
    options = parser.getgroup("operator-groups", "groups of tests (pytest-operator-groups)")
    options.addoption(
        "--group",
        metavar="ID",
        help="run the tests of one file that are marked with @pytest.mark.group(ID), and deselect its other tests",
    )
    options.addoption(
        "--collect-groups",
        action="store_true",
        help="run nothing: show the groups of all tests in a table, and write them as groups=JSON to the file in "
        "GITHUB_OUTPUT; without that variable, write the JSON to stdout",
    )
    options.addoption(
        "--groups-file", metavar="FILE", help="with --collect-groups, write the JSON to this file and nowhere else"
    )
    options.addoption("--group-progress", metavar="FILE", help="with --group, write which test runs, for run-groups")
    options.addoption(
        "--max-groups",
        metavar="N",
        type=int,
        default=256,  # the jobs that GitHub starts for one matrix
        help="with --collect-groups, more groups are an error; 0: any number, for plan-groups (default: %(default)s)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and the hooks of the option that was given."""
    config.addinivalue_line(
        "markers", "group(ID): an int or a str that names the tests of one file that run together on one runner"
    )
    config.addinivalue_line(
        "markers", "runner(LABELS): the label, or the list of labels, of the runner for the test's group"
    )
    # With strict markers, pytest 9.1 and later refuses -m 'not unstable' unless the marker is registered.
    config.addinivalue_line(
        "markers", "unstable: fails now and then; integration_test_charm.yaml runs such tests only on schedule"
    )
    group_id, collect_groups = config.getoption("group", None), config.getoption("collect_groups", False)
    if group_id is not None and collect_groups:
        raise pytest.UsageError(
            "--group runs one group, and --collect-groups lists all groups without running any. "
            "Give only one of the two."
        )
    if collect_groups:
        config.pluginmanager.register(_GroupListing(config))
    elif config.getoption("groups_file", None):
        raise pytest.UsageError("--groups-file is where --collect-groups writes its JSON. Add --collect-groups.")
    elif group_id is not None:
        from pytest_operator_groups.suite.command_line import drop_folders

        config.args = drop_folders(config.args, config.invocation_params.dir)
        config.pluginmanager.register(_GroupRun(config, group_id))
        progress = config.getoption("group_progress")
        if progress and not hasattr(config, "workerinput"):
            from pytest_operator_groups.formats.progress import ProgressWriter

            config.pluginmanager.register(ProgressWriter(progress))


class _Collection:
    """Watches the collection: how many tests there were, and whether the deselection came to its end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.start = config.invocation_params.dir
        self.before_deselection: int | None = None
        self.is_complete = False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, None]:
        self.before_deselection = len(items)
        outcome = yield
        self.is_complete = outcome.excinfo is None

    def groups(self, items: list[pytest.Item]) -> list[Group]:
        """Return the groups of the items that are left after deselection.

        Raises:
            GroupsError: No test was found, or the tests don't make groups.
        """
        from pytest_operator_groups.common.errors import GroupsError
        from pytest_operator_groups.suite.groups import group_tests
        from pytest_operator_groups.suite.markers import read_default_group

        if not self.before_deselection:
            raise GroupsError(
                "there are no tests",
                where=" ".join(self.config.args),
                advice="Name the file or the directory that has the tests, for example: pytest tests/integration",
            )
        try:
            default_group = self.config.getini("default_group")
        except TypeError as error:
            raise GroupsError(str(error), advice='Write default_group = "1".') from None
        return group_tests(items, self.start, read_default_group(default_group))


class _GroupRun(_Collection):
    """A run with --group=ID."""

    def __init__(self, config: pytest.Config, group_id: str) -> None:
        super().__init__(config)
        self.group_id = group_id

    # After every pytest_collection_modifyitems, wrappers included, and before the items are counted or sent.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        from pytest_operator_groups.common.errors import GroupsError
        from pytest_operator_groups.suite.selection import select

        stops_at_errors = not self.config.getoption("continue_on_collection_errors")
        if not self.is_complete or (session.testsfailed and stops_at_errors):
            return
        items = session.items
        left_out = (self.before_deselection or 0) - len(items)
        try:
            selected = select(items, self.group_id, self.groups, self.start, left_out)
        except GroupsError as error:
            output = getattr(session.config, "workeroutput", None)
            if output is None:
                raise pytest.UsageError(str(error)) from None
            # Each worker of pytest-xdist collects by itself, and only the controller can show an error.
            output[_ERROR] = str(error)
            items.clear()
            return
        in_group = set(map(id, selected))
        self.config.hook.pytest_deselected(items=[item for item in items if id(item) not in in_group])
        items[:] = [item for item in items if id(item) in in_group]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        if message := getattr(node, "workeroutput", {}).get(_ERROR):
            raise pytest.UsageError(message)


class _GroupListing(_Collection):
    """A run with --collect-groups."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.is_written = False
        # This shows all plugins that nothing will run. pytest-xdist, for example, starts no worker then.
        config.option.collectonly = True

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_finish(self) -> Generator[None, Any, None]:
        # With --collect-only, the terminal reporter prints the tree of all items here.
        self.config.option.collectonly = False
        yield
        self.config.option.collectonly = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        from pytest_operator_groups.common.errors import GroupsError
        from pytest_operator_groups.listing.allure import write_unknown_results

        if session.testsfailed:
            return None  # pytest reports the errors of the collection.
        try:
            self.write(self.groups(session.items))
        except GroupsError as error:
            raise pytest.UsageError(str(error)) from None
        write_unknown_results(self.config, session.items)
        self.is_written = True
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.is_written and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def write(self, groups: list[Group]) -> None:
        """Write the groups for programs, and show them to people.

        Raises:
            GroupsError: There are too many groups, or a file can't be written.
        """
        from pytest_operator_groups.listing.listing import text_listing, title, write_groups
        from pytest_operator_groups.suite.command_line import GroupCommands, selecting_options

        commands = GroupCommands(self.config.args, selecting_options(self.config.option), self.start)
        file = self.config.getoption("groups_file")
        matrix = write_groups(
            groups, commands, self.config.getoption("max_groups"), self.start / file if file else None
        )
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.section(title(groups))
            width = self.config.get_terminal_writer().fullwidth if terminal.isatty else None
            lines = text_listing(groups, commands, width)
            for line in lines if terminal.isatty or matrix is None else [*lines, matrix]:
                terminal.write_line(line)
        elif matrix is not None:
            print(matrix)
