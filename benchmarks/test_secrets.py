"""pytest-github-secrets: what it costs if it isn't used, how fast it masks, and whether anything gets through."""

from __future__ import annotations

import base64
import functools
import html
import json
import os
import random
import re
import shlex
import string
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
import yaml
from pytest_github_secrets._forms import is_maskable
from pytest_github_secrets._mask import Masker
from pytest_github_secrets._secrets import SecretsError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

SIZE = 10_000
# Without two control characters, which XML can't express.
PRINTABLE = string.printable.replace("\x0b", "").replace("\x0c", "")
ALPHABETS = [string.ascii_letters + string.digits, PRINTABLE, "ab'\"\\\n%<&é😀+ ", string.hexdigits + "-=+/"]
LINE = "2026-01-01 12:00:00 INFO unit.database/0 charm: the relation has changed, {} of {} units are active\n"
GO = [
    "json", "quote", "quote-ascii", "query", "path", "html", "xml", "base64", "base64-url", "hex", "print-hex",
    "print-quoted",
]  # fmt: skip
ENCODERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "json": json.dumps,
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False),
    "html": html.escape,
    "xml": escape,
    "xml attribute": quoteattr,
    "html references": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "url": quote,
    "url, all": lambda text: quote(text, safe=""),
    "url, as requests has it": lambda text: quote(text, safe="!#$%&'()*+,/:;=?@[]~"),
    "url, lower-case": lambda text: re.sub("%..", lambda match: match[0].lower(), quote(text)),
    "form": quote_plus,
    "shell": shlex.quote,
    "yaml": lambda text: yaml.safe_dump(text, width=sys.maxsize),
    "yaml, single-quoted": lambda text: yaml.safe_dump(text, width=sys.maxsize, default_style="'"),
    "yaml, double-quoted": lambda text: yaml.safe_dump(text, width=sys.maxsize, default_style='"'),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64, in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
}
BREAKS = ["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;9m", "\x1b(B", "\n", "\r\n", "\n    ", "\n\t"]


@pytest.mark.parametrize(
    ("number", "contender"),
    [(number, contender) for number in range(11) for contender in (["pytest", "secrets"][:: 1 if number % 2 else -1])],
)
def test_unused(
    benchmark: BenchmarkFixture,
    make_suite: Callable[[int, int, int], Path],
    prepare: Callable[..., Callable[[], None]],
    number: int,
    contender: str,
) -> None:
    benchmark.extra_info["size"] = SIZE
    run = prepare(contender, make_suite(1, SIZE, 1), "-q")
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # pytest-benchmark leaves it untyped


def make_secrets(dice: random.Random) -> list[str]:
    return ["".join(dice.choices(ALPHABETS[0], k=dice.randint(12, 60))) for _ in range(50)]


# What a line of a log may be encoded as. Go escapes < and > in JSON.
LOGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda line: json.dumps({"level": "info", "message": f'"{line}" of <charm>\n'}).replace("<", r"\u003c"),
    "percent": lambda line: quote(line, safe=""),
    "base64": lambda line: base64.b64encode(line.encode()).decode(),
}


def make_log(dice: random.Random, secrets: list[str], content: str = "plain", end: str = "\n") -> Iterator[str]:
    """Yield a log in blocks of 1,000 lines, ten with a secret each."""
    number = 0
    while True:
        numbers = range(number, number + 1_000)
        lines = (LINE.format(dice.choice(secrets) if n % 100 == 0 else n, n)[:-1] for n in numbers)
        yield "".join(LOGS[content](line) + end for line in lines)
        number += 1_000


@pytest.mark.parametrize(
    ("content", "megabytes"), [*(("plain", number) for number in (1, 2, 5, 10)), *((name, 10) for name in [*LOGS][1:])]
)
def test_mask(benchmark: BenchmarkFixture, content: str, megabytes: int) -> None:
    dice = random.Random(1)  # noqa: S311, it hides nothing
    secrets = make_secrets(dice)
    log = make_log(dice, secrets, content)
    text = ""
    while len(text) < megabytes * 1_000_000:
        text += next(log)
    masked = benchmark.pedantic(Masker(secrets), [text], rounds=5)  # type: ignore[no-untyped-call]  # as above
    assert masked.count("***") >= text.count("\n") // 100
    assert not any(secret in masked for secret in secrets)


@pytest.mark.parametrize("megabytes", [10, 100, 1_000])
def test_memory(benchmark: BenchmarkFixture, tmp_path: Path, megabytes: int) -> None:
    dice = random.Random(1)  # noqa: S311, it hides nothing
    secrets = make_secrets(dice)
    log = make_log(dice, secrets, end=" 😀\n")
    file = tmp_path / "log"
    with file.open("w") as stream:
        while stream.tell() < megabytes * 1_000_000:
            stream.write(next(log))
    environment = {"SECRETS": json.dumps({str(number): secret for number, secret in enumerate(secrets)})}
    python = get_peak("pass", environment)
    start = time.perf_counter()
    peak = get_peak(f"from pytest_github_secrets._redact_secrets import main; main([{str(file)!r}])", environment)
    benchmark.extra_info.update(peak=peak, more=peak - python, seconds=time.perf_counter() - start)
    benchmark.pedantic(int)  # type: ignore[no-untyped-call]  # as above
    with file.open() as stream:
        assert not any(secret in line for line in stream if "***" not in line for secret in secrets)
    file.unlink()


def get_peak(code: str, environment: dict[str, str]) -> float:
    """Run a program of Python's and return how many megabytes of memory it took at most, on Linux."""
    show = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    command = [sys.executable, "-c", f"{code}\n{show}"]
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1]) * 1_024 / 1_000_000


# Base64 and hexadecimal digits are of a value as it is or in JSON, and base64 also of base64.
BINARY = [name for name in [*ENCODERS, *(f"go, {name}" for name in GO)] if "base64" in name or "hex" in name]
IN_BINARY = ["plain", "json", "json, not ascii", "go, json"]


def choose(dice: random.Random, names: list[str]) -> tuple[str, str]:
    """Return the names of two encoders, of which the second encodes what the first has written."""
    outer = dice.choice(names)
    if outer not in BINARY:
        # A form turns the indentation that YAML adds into +.
        return dice.choice([name for name in names if not ("yaml" in name and outer in {"form", "go, query"})]), outer
    return dice.choice([*IN_BINARY, *(["base64", "base64, for URLs"] if "base64" in outer else [])]), outer


@pytest.fixture
def encoders(tmp_path: Path) -> Iterator[dict[str, Callable[[str], str]]]:
    """Return all encoders by their names. Those of Go run in one process."""
    program = tmp_path / "encoders"
    subprocess.run(["go", "build", "-o", program, Path(__file__).with_name("encoders") / "main.go"], check=True)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def encode(name: str, text: str) -> str:
            stdin.write(json.dumps([name, text]) + "\n")
            stdin.flush()
            return str(json.loads(stdout.readline()))

        yield ENCODERS | {f"go, {name}": lambda text, name=name: encode(name, text) for name in GO}
        stdin.close()


def test_leaks(benchmark: BenchmarkFixture, encoders: dict[str, Callable[[str], str]]) -> None:
    dice = random.Random(2)  # noqa: S311, it hides nothing
    cases, leaks = 0, []
    start = time.perf_counter()
    while cases < 100_000:
        secrets = [make_value(dice) for _ in range(3)]
        mask = Masker(secrets)
        for _ in range(50):
            value = dice.choice(secrets)
            names = choose(dice, [*encoders])
            around = "".join(dice.choices(string.printable, k=dice.randint(0, 40)))
            encoded = encoders[names[1]](encoders[names[0]](value))
            masked = mask(f"{around}|{break_up(dice, encoded)}|{around}")
            left = without_breaks(masked).removeprefix(without_breaks(f"{around}|"))
            left = left.removesuffix(without_breaks(f"|{around}"))
            # Quotes, padding, and what isn't a whole character of a secret.
            rest = len(encoders[names[1]](encoders[names[0]](""))) + len(encoders[names[1]]("0==\n")) + 4
            if any(map(is_maskable, value.splitlines())) and max(map(len, left.split("***"))) > rest:
                leaks.append(([*names], value, encoded, masked))
            text = json.dumps(dict.fromkeys("ABC", value), ensure_ascii=False)
            cut = dice.randrange(len(text))
            try:
                parse(text[:cut] + dice.choice(["", '"', "\\", "{", "\n", "'"]) + text[cut + 1 :], "SECRETS")
            except SecretsError as error:
                if len(value) >= 8 and any(
                    part in str(error) for part in (value[i : i + 8] for i in range(max(1, len(value) - 7)))
                ):
                    leaks.append((["parse"], value, text, str(error)))
            cases += 1
    benchmark.extra_info.update(cases=cases, leaks=len(leaks), seconds=time.perf_counter() - start)
    benchmark.pedantic(int)  # type: ignore[no-untyped-call]  # as above
    assert not leaks, leaks[:5]


@pytest.fixture
def kinds(tmp_path: Path) -> dict[str, str]:
    """Return secrets of ten kinds."""
    dice = random.Random(3)  # noqa: S311, it hides nothing

    def token(length: int, alphabet: str = ALPHABETS[0]) -> str:
        return "".join(dice.choices(alphabet, k=length))

    run = functools.partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True)
    for name in ("ca", "server"):
        subject = f"/C=GB/O=Example/CN={name}.example.com"
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", subject]
        run([*request, "-keyout", f"{name}.key", "-out", f"{name}.pem"])
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ssh"])
    key, chain = (
        (tmp_path / "ca.key").read_text(),
        "".join((tmp_path / f"{name}.pem").read_text() for name in ("server", "ca")),
    )
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in (("key", key), ("chain", chain))}
    segments = [{"alg": "RS256", "typ": "JWT"}, {"sub": "1234567890", "iat": 1516239022}]
    jwt = [base64.urlsafe_b64encode(json.dumps(segment).encode()).decode().rstrip("=") for segment in segments]
    gcp = {
        "type": "service_account", "project_id": "charm-tests-123456", "private_key_id": token(40, "0123456789abcdef"),
        "private_key": key, "client_email": "ci@charm-tests-123456.iam.gserviceaccount.com",
        "client_id": token(21, string.digits), "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token", "universe_domain": "googleapis.com",
    }  # fmt: skip
    return {
        "key of GCP": json.dumps(gcp, indent=2),
        "kubeconfig": f"""apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {encoded["chain"]}
    server: https://10.0.0.12:16443
  name: microk8s-cluster
contexts:
- context:
    cluster: microk8s-cluster
    namespace: default
    user: admin
  name: microk8s
current-context: microk8s
kind: Config
preferences: {{}}
users:
- name: admin
  user:
    client-key-data: {encoded["key"]}
    token: {token(32)}
""",
        "certificate chain": chain,
        "URL with a password": f"postgresql://operator:{token(14)}@10.20.30.40:5432/postgres?sslmode=require",
        "AWS": f"[default]\naws_access_key_id = AKIA{token(16)}\naws_secret_access_key = {token(40)}\n",
        "GitHub token": f"ghp_{token(36)}",
        "SSH key": (tmp_path / "ssh").read_text(),
        "htpasswd": f"admin:$2y$05${token(53)}\nreader:$apr1${token(8)}${token(22)}\n",
        "JWT": ".".join([*jwt, token(86)]),
        "passphrase": "correct horse battery staple",
    }


def test_ordinary_text(benchmark: BenchmarkFixture, kinds: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tox.ini").write_text("[testenv]\nskip_install = true\ncommands = python -c 'print(1)'\n")
    (tmp_path / "test_it.py").write_text(
        "def test_1(tmp_path): assert {'type': 'service'} == {'type': str(tmp_path)}\n" * 50
    )
    logs = [
        subprocess.run([sys.executable, "-m", *command.split()], cwd=tmp_path, capture_output=True, check=False).stdout
        for command in ("tox run -vv", "pytest -vv -rA --showlocals --trace-config", "pip list")
    ]
    root = Path(__file__).parents[1]
    # Pages with the output of Juju, workflows, code and a lock file, but for those about secrets.
    command = ["git", "ls-files", "-z", "--", ":!benchmarks", ":!python/pytest_plugins/github_secrets"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    files = [root / name for name in names.split("\0")[:-1]]
    text = b"\n".join([*logs, *(file.read_bytes() for file in files if file.is_file())])
    masked = {
        kind: sum(len(before) for before, after in Masker([secret]).mask_blocks([text]) if before != after)
        for kind, secret in kinds.items()
    }
    benchmark.extra_info.update(megabytes=len(text) / 1e6, kinds=len(masked), wrong=sum(masked.values()))
    benchmark.pedantic(int)  # type: ignore[no-untyped-call]  # as above
    assert not any(masked.values()), masked


def make_value(dice: random.Random) -> str:
    """Return a secret. It has no two blanks in a row, and no quote at its ends: only those would look like a leak."""
    value = "".join(dice.choices(dice.choice(ALPHABETS), k=dice.randint(4, 60)))
    return re.sub(r"\s+", lambda match: match[0][0], value).strip(string.whitespace + "'\"")


def break_up(dice: random.Random, text: str) -> str:
    """Return a text with line ends and colours in it, or without. None is before a blank, which would be lost."""
    positions = [position for position, character in enumerate(text) if not character.isspace()]
    chosen = sorted(dice.choices(positions, k=dice.choice([0, 0, 1, 2, 5]))) if positions else []
    parts = [text[start:end] for start, end in zip([0, *chosen], [*chosen, len(text)], strict=True)]
    return "".join(part + dice.choice(BREAKS) for part in parts[:-1]) + parts[-1]


def without_breaks(text: str) -> str:
    return re.sub(r"\x1b(\[[0-9;]*m|\(B)|\\?\r?\n[ \t]*", "", text)
