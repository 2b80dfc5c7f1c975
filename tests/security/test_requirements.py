"""The packages that are installed are named to the byte, in files that pip-audit reads as they stand (`make audit`)."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKED = ("run", "test", "cluster", "s3", "audit")
_HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}")


def locked(name: str) -> dict[str, Requirement]:
    """What a file pins, each with its hashes checked to be there; any other line in it fails."""
    text = re.sub(r"\s*#.*", "", (ROOT / "requirements" / f"{name}.txt").read_text())
    found = {}
    for line in text.replace("\\\n", " ").split("\n"):
        if line.strip():
            line = re.sub(r" +", " ", line.strip())
            assert _HASH.search(line), f"{name}.txt: no hash: {line}"
            requirement = Requirement(_HASH.sub("", line))
            assert requirement.url is None, line
            assert [specifier.operator for specifier in requirement.specifier] == ["=="], line
            found[canonicalize_name(requirement.name)] = requirement
    return found


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_is_pinned_with_its_hashes(name: str) -> None:
    assert len(locked(name)) > 20


@pytest.mark.parametrize("name", ["test", "cluster"])
def test_what_runs_is_the_same_everywhere(name: str) -> None:
    run, other = locked("run"), locked(name)
    assert {package: str(other[package]) for package in run} == {package: str(pinned) for package, pinned in run.items()}


def test_all_that_the_package_asks_for_is_pinned_and_allowed_by_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {
        "run": ["llama3", "s3"],
        "test": ["llama3", "s3", "inspect", "test"],
        "cluster": ["llama3", "s3", "cluster"],
    }
    for name, chosen in extras.items():
        pinned = locked(name)
        for text in [*project["dependencies"], *(each for extra in chosen for each in project["optional-dependencies"][extra])]:
            wanted = Requirement(text)
            if canonicalize_name(wanted.name) == "seiryu":
                continue
            (exact,) = pinned[canonicalize_name(wanted.name)].specifier
            assert wanted.specifier.contains(exact.version), (name, text, exact)


def test_these_tests_run_with_what_is_pinned() -> None:
    for package, pinned in locked("test").items():
        if pinned.marker is None or pinned.marker.evaluate():
            (exact,) = pinned.specifier
            assert version(package) == exact.version


def test_what_is_audited_is_what_is_pinned_with_hashes() -> None:
    (line,) = re.findall(r"^LOCKED := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert tuple(line.split()) == LOCKED
