"""The plan of the house: which room imports which, how large a file may be, where Ray may stand."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each room with those it may import. pipelines -> {filters, dedup} -> corpus, never back.
ROOMS = {"corpus": set(), "filters": {"corpus", "configs"}, "dedup": {"corpus"}, "pipelines": {"corpus", "filters", "dedup", "configs"},
         "configs": set()}  # fmt: skip
FILES = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]


def imports(file: Path) -> Iterator[str]:
    """Full names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_the_rooms_below_it(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0]
    for name in imports(file):
        parts = name.split(".")
        assert parts[0] not in ROOMS, f"{file}: imports {name}; rooms are imported as seiryu.*"
        if parts[0] == "seiryu" and parts[1] != room:
            assert parts[1] in ROOMS[room], f"{room} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_ray_stands_in_pipelines_only(file: Path) -> None:
    if file.relative_to(ROOT).parts[0] != "pipelines":
        assert not [name for name in imports(file) if name.split(".")[0] == "ray"]


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    names = {"seiryu." + ".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in FILES}
    graph = {name: {other for other in map(module_of(names), top_level_imports(file)) if other} for name, file in names.items()}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in sorted(graph[name]):
                walk(other, (*path, name))
            done.add(name)

    for name in sorted(graph):
        walk(name, ())


def top_level_imports(file: Path) -> Iterator[str]:
    """What is imported when the module is; not what a function imports when it runs, nor what only a type checker sees."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(names: dict[str, Path]):
    return lambda name: name if name in names else name.rsplit(".", 1)[0] if name.rsplit(".", 1)[0] in names else None


@pytest.mark.parametrize("file", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_longer_than_300_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_says_what_it_holds(file: Path) -> None:
    if file.name != "__init__.py":
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), f"{file} has no docstring"


def test_no_two_test_files_have_one_name() -> None:
    """pytest imports them by their names alone."""
    names = [file.name for file in (ROOT / "tests").rglob("*.py")]
    assert sorted(set(names) - {"conftest.py"}) == sorted(name for name in names if name != "conftest.py")
