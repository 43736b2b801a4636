"""Show the main job on one machine: collect the groups of the example suite, then run each as CI does."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUITE = Path(__file__).parent / "service_suite"


def main() -> int:
    """Return the exit code: 0 if every group passed."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        run(["pytest", "tests/integration", "--collect-groups", "-q"], GITHUB_OUTPUT=output.name)
        groups = json.loads(output.read().removeprefix("groups="))
    failed = []
    start = time.perf_counter()
    for group in groups:
        print(f"\n=== {group['job_name']} (in CI: a runner of its own) ===", flush=True)
        if run(["pytest", "-q", group["path_to_test_file"], f"--group={group['group_id']}"]) != 0:
            failed.append(group["job_name"])
    print(f"\n{len(groups) - len(failed)} groups passed, {len(failed)} failed in {time.perf_counter() - start:.1f} s")
    return 1 if failed else 0


def run(command: list[str], **variables: str) -> int:
    """Run a command of this Python's environment in the suite, and return its exit code."""
    print(f"$ {shlex.join(command)}", flush=True)
    # The tests of a group build on each other: where this repository's own tests are shuffled, these are not.
    plugins = ["-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [sys.executable, "-m", *command, *plugins], cwd=SUITE, env=os.environ | variables, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
