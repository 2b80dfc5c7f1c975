"""What no module of the rooms does, read from their syntax: nothing that runs what a file or a page says, no SQL made of raw values.

A checker that finds nothing could be blind, so each is shown what it must find. What it finds in the rooms and is meant stands in
ALLOWED and RAW with its reason; an entry that nothing needs any more fails too.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for room in ("corpus", "filters", "dedup", "pipelines", "configs")
    for path in sorted((ROOT / room).rglob("*.py"))
}

# Modules that make objects, and with them calls, of bytes; whoever names one as an attribute has found it in another package.
MODULES = {"pickle", "_pickle", "cPickle", "pickletools", "cloudpickle", "dill", "marshal", "shelve", "joblib", "jsonpickle"}
NEVER = {
    "eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec", "builtins.compile",
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "tempfile.mktemp",
    "shutil.unpack_archive", "pandas.read_pickle", "torch.load", "jinja2.nativetypes.NativeEnvironment",
    "yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load", "yaml.full_load_all", "yaml.Loader", "yaml.CLoader",
    "yaml.UnsafeLoader", "yaml.CUnsafeLoader", "yaml.FullLoader", "yaml.CFullLoader",
    "ray.data",  # makes pyarrow know types whose metadata is a pickle
}  # fmt: skip
METHODS = {"extractall", "from_string"}  # of whatever object: tarfile and zipfile, jinja2's Environment
SAFE_LOADERS = {"yaml.SafeLoader", "yaml.CSafeLoader"}

ALLOWED = {  # (file, what) -> why
    ("pipelines/publishing/card.py", "jinja2.Environment"): "Markdown, no HTML: `finalize` writes all values as Markdown's text",
    ("pipelines/reporting/page/wording.py", "yaml.load"): "the package's own words, by CSafeLoader or SafeLoader",
    ("pipelines/isolation/child_main.py", "importlib.import_module"): "the parent's code names the function, no file does",
    ("pipelines/inspecting/server.py", "importlib.import_module"): "names written in the loop about it",
}


def found(text: str) -> Iterator[tuple[str, int]]:
    """Every forbidden thing in a module by its full name, whatever it was imported as, and its line."""
    tree = ast.parse(text)
    names: dict[str, str] = {}  # only of what is renamed or taken out of its module: the others are called what they are
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            names |= {each.asname or each.name: f"{module}{each.name}" for each in node.names}
            yield from ((f"{module}{each.name}", node.lineno) for each in node.names
                        if {*module.split("."), *each.name.split(".")} & MODULES or {module[:-1], f"{module}{each.name}"} & NEVER)  # fmt: skip

    def full(node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            return f"{full(node.value)}.{node.attr}"
        return names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"

    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            if full(node) in NEVER or (isinstance(node, ast.Attribute) and node.attr in METHODS | MODULES):
                yield full(node), node.lineno
        elif isinstance(node, ast.Call) and _wrong(node, full):
            yield full(node.func), node.lineno


def _wrong(call: ast.Call, full: Callable[[ast.expr], str]) -> bool:
    """Whether a call is forbidden for its arguments."""
    name, given = full(call.func), [full(each) for each in call.args]
    said = {each.arg: each.value for each in call.keywords}
    switch = {key: value.value if isinstance(value, ast.Constant) else "?" for key, value in said.items()}
    if name in ("yaml.load", "yaml.load_all"):
        return not SAFE_LOADERS & {*given[1:], full(said["Loader"]) if "Loader" in said else ""}
    if name.rpartition(".")[2] in ("Environment", "SandboxedEnvironment") and name.startswith("jinja2."):
        return switch.get("autoescape") is not True
    if name == "jinja2.Template":  # called: as a type it says what a function gives
        return True
    if name == "importlib.import_module":
        return not isinstance(call.args[0], ast.Constant)
    hidden = None in said and name in ("numpy.load", *(f"subprocess.{each}" for each in ("run", "Popen", "call", "check_output")))
    return switch.get("allow_pickle", False) is not False or switch.get("shell", False) is not False or hidden


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "import pickle as p", "from pickle import loads", "import ray.cloudpickle", "from ray import cloudpickle",
        "import ray\nray.cloudpickle.loads(b)", "import dill", "import ray.data", "from ray.data import f", "ray.data.f()", "import marshal", "import shelve", "from joblib import load",
        "def f():\n    import pickle", "import numpy as np\nnp.load(f, allow_pickle=True)", "import numpy\nnumpy.load(f, allow_pickle=x)",
        "import numpy as np\nnp.load(f, **how)", "import yaml\nyaml.load(t, yaml.Loader)", "import yaml\nyaml.load(t, Loader=Mine)",
        "import yaml\nyaml.load(t)", "from yaml import unsafe_load", "from yaml import unsafe_load as f\nf(t)",
        "import yaml\nclass L(yaml.FullLoader): ...", "eval(t)", "f = exec", "compile(t, '', 'exec')", "__import__(t)",
        "import os\nos.system(t)", "from os import popen as p\np(t)", "import subprocess\nsubprocess.run(t, shell=True)",
        "from subprocess import Popen\nPopen(t, shell=flag)", "import subprocess as s\ns.run(t, **how)", "import tempfile\ntempfile.mktemp()",
        "tarfile.open(t).extractall()", "zipfile.ZipFile(t).extractall(d)", "import shutil\nshutil.unpack_archive(t)",
        "import jinja2\njinja2.Environment(loader=x)", "import jinja2\njinja2.Environment(autoescape=False)", "import jinja2\njinja2.Template(t)",
        "from jinja2 import Environment as E\nE()", "env.from_string(t)", "import importlib\nimportlib.import_module(t)",
    ],
)  # fmt: skip
def test_the_checker_sees_what_it_must(text: str) -> None:
    assert list(found(text))


@pytest.mark.parametrize(
    "text",
    [
        "import re\nre.compile(t)", "import numpy as np\nnp.load(f)", "import yaml\nyaml.load(t, yaml.SafeLoader)", "import yaml\nyaml.safe_load(t)",
        "import subprocess\nsubprocess.run([t])", "import jinja2\njinja2.Environment(autoescape=True)", "import importlib\nimportlib.import_module('x')",
    ],
)  # fmt: skip
def test_the_checker_lets_pass_what_is_harmless(text: str) -> None:
    assert not list(found(text))


def test_no_module_runs_what_a_file_or_a_page_says() -> None:
    seen = [(file, what, line) for file, text in SOURCES.items() for what, line in found(text)]
    assert [f"{file}:{line}: {what}" for file, what, line in seen if (file, what) not in ALLOWED] == []
    assert ALLOWED.keys() - {(file, what) for file, what, _ in seen} == set()


# Which arguments are SQL: of DuckDB's methods, and of the functions of the table that put them into SQL as they are.
METHODS_OF_SQL = {"execute", "executemany", "sql", "query", "from_query"}
TAKES = {"ask": (1,), "side_of": (0,), "_bin": (0,), "_steps": (0, 2), "_largest": (0,)}
QUERIES, DOCUMENTS = "pipelines/facts/queries.py", "pipelines/facts/documents.py"
WRITERS = {  # what makes SQL of values, and where it may be defined; f-strings within them are checked as all others
    "column": {QUERIES}, "number": {QUERIES}, "bits": {QUERIES}, "rejects": {QUERIES}, "mask_under": {QUERIES}, "_list": {QUERIES},
    "_bin": {QUERIES}, "_steps": {QUERIES}, "_largest": {QUERIES}, "quoted_text": {"pipelines/facts/table.py"},
    "_where": {DOCUMENTS, "pipelines/inspecting/distributions.py"},
}  # fmt: skip
NUMBERS = {"int", "float", "len"}
GROWS = {"append", "extend", "insert"}
Known = dict[str, list[ast.expr | None]]
CONSTANTS = {"LISTED", "PASSES", "SUMS"}  # of queries.py, imported by others
RAW = {  # (function, f-string) -> why
    ("bits", "f'{mask}::UBIGINT'"): "an int",
    ("rejects", "f'{name} {sign} {number(value)}'"): "one of the signs written two lines above",
    ("mask_under", "f'(((reject_mask >> {bit}) & {bits(1)}) << {i})'"): "numbers of enumerate",
    ("_where", "f'{name} = ${name}'"): "fate and host, written in the loop",
    ("_where", "f'list_contains($values{i}, {column(name)}::VARCHAR)'"): "a number of enumerate, in the name of a parameter",
    ("_where", "f'values{i}'"): "the name of that parameter",
}


class Sql:
    """The SQL of one module: what is put into it that is neither a literal nor made by WRITERS."""

    def __init__(self, text: str, writers: Collection[str] = WRITERS) -> None:
        self.tree, self.writers = ast.parse(text), writers
        self.used_raw: set[tuple[str, str]] = set()

    def faults(self) -> Iterator[tuple[str, int]]:
        for top in self.tree.body:
            known = self._bound(top)
            function = getattr(top, "name", "")
            for node in ast.walk(top):
                for part in self._sql_of(node):
                    if not self._safe(part, known, function, ()):
                        yield ast.unparse(part), part.lineno

    def _sql_of(self, node: ast.AST) -> Iterator[ast.expr]:
        if isinstance(node, ast.FunctionDef) and node.name in self.writers:
            yield from (each for each in ast.walk(node) if isinstance(each, ast.JoinedStr))
        if isinstance(node, ast.Call):
            method = isinstance(node.func, ast.Attribute) and node.func.attr in METHODS_OF_SQL
            for place in (0,) if method else TAKES.get(getattr(node.func, "id", ""), ()) if self.writers else ():
                yield node.args[place] if place < len(node.args) else node  # one that is given by a keyword or not at all

    def _bound(self, top: ast.AST) -> Known:
        """Name -> all that is ever assigned to it in the module or this function; None: something that nobody knows."""
        known: Known = defaultdict(list)

        def bind(target: ast.expr, value: ast.expr) -> None:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                for one, its in zip(target.elts, value.elts, strict=True):
                    bind(one, its)
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
                bind(target, value.body)
                bind(target, value.orelse)
            else:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name):
                        known[each.id].append(value)

        for node in (*(each for each in self.tree.body if isinstance(each, ast.Assign)), *ast.walk(top)):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    bind(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
                bind(node.target, node.value)
            elif isinstance(node, ast.For | ast.comprehension):
                for each in node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else [node.iter]:
                    bind(node.target, each)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in GROWS:
                bind(node.func.value, node.args[-1])
            elif isinstance(node, ast.FunctionDef | ast.Lambda):
                places = TAKES.get(getattr(node, "name", ""), ())
                for i, each in enumerate([*node.args.posonlyargs, *node.args.args]):
                    known[each.arg].append(ast.Constant("") if i in places else None)
                for extra in (*node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
                    known[extra.arg if extra else ""].append(None)
        return known

    def _safe(self, node: ast.expr | None, known: Known, function: str, above: tuple[str, ...]) -> bool:
        def all_of(parts: list[ast.expr]) -> bool:
            return all(self._safe(each, known, function, above) for each in parts)

        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr(values=parts):
                if (here := (function, ast.unparse(node))) in RAW:
                    self.used_raw.add(here)
                    return True
                return all_of(parts)
            case ast.FormattedValue(value=one, format_spec=None):
                return all_of([one])
            case ast.Name(id=name):
                values = known.get(name)
                if values is None:
                    return name in CONSTANTS
                return name in above or all(self._safe(each, known, function, (*above, name)) for each in values)
            case ast.Call(func=ast.Name(id=name)) if name in WRITERS or name in NUMBERS:
                return True
            case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id=name), _]):
                return name in WRITERS
            case ast.Call(func=ast.Attribute(value=ast.Constant() as value, attr="join")):
                return all_of([value, *node.args])
            case ast.Call(func=ast.Attribute(value=ast.Dict() as value, attr="get"), args=[_, default]):
                return all_of([value, default])
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, op=ast.Add(), right=other):
                return all_of([one, other])
            case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
                return all_of(parts)
            case ast.ListComp(elt=one) | ast.GeneratorExp(elt=one) | ast.Subscript(value=one) | ast.Starred(value=one):
                return all_of([one])
        return False


@pytest.mark.parametrize(
    "body",
    [
        "con.execute(f'SELECT {text}')", "con.sql('SELECT ' + text)", "con.query('SELECT %s' % text)", "con.execute('{}'.format(text))",
        "con.execute(text)", "ask(con, f'{text}')", "ask(con, sql=text)", "con.sql(query=text)", "con.execute(*text)", "con.executemany(text)",
        "x = column(text)\n    x = text\n    con.sql(f'{x}')", "x = [number(1)]\n    x.append(text)\n    con.sql(' AND '.join(x))",
        "x = 'a'\n    x += text\n    con.sql(x)", "con.sql(f'{column(text)} = {other.value}')", "con.sql(f'{1:{text}}')",
        "con.sql(' '.join(f'{y}' for y in text))", "con.sql(f'{text!r}')", "con.sql(text or 'true')", "con.sql(wanted.sql)",
        "con.sql('a' if text else text)", "con.sql({'a': text}['a'])", "con.sql(' '.join(map(str, text)))", "con.sql(LISTED + OTHER)",
    ],
)  # fmt: skip
def test_the_checker_of_sql_sees_a_raw_value(body: str) -> None:
    assert list(Sql(f"def asking(con, text):\n    {body}\n").faults())
    assert list(Sql(f"class A:\n  def asking(self, con, text):\n    {body}\n").faults())


@pytest.mark.parametrize(
    "text",
    ["def _where(a):\n    return f'{a}'", "def _largest(name, most):\n    return f'{name} {most}'", "def f(a):\n    _largest(a, 1)"],
)  # fmt: skip
def test_the_checker_of_sql_looks_into_what_writes_it(text: str) -> None:
    assert list(Sql(text).faults())


@pytest.mark.parametrize(
    "body",
    [
        "con.sql('SELECT 1', params=text)", "con.sql(f'{column(text)} > {number(text)} LIMIT {int(text)}')", "ask(con, f'{PASSES}' + 'a', text)",
        "x = [column(y) for y in text]\n    con.sql(' AND '.join(x) or 'true')", "x, y = (column(text), text)\n    con.sql(f'{x}', y)",
    ],
)  # fmt: skip
def test_the_checker_of_sql_lets_pass_what_is_written_by_helpers(body: str) -> None:
    assert not list(Sql(f"def asking(con, text):\n    {body}\n").faults())


def test_sql_is_made_of_literals_and_of_what_its_writers_write() -> None:
    asks = {file for file, text in SOURCES.items() if "duckdb" in text or "facts.queries import" in text}
    modules = {file: Sql(text, WRITERS if file in asks else ()) for file, text in SOURCES.items()}
    assert [f"{file}:{line}: {part}" for file, each in modules.items() for part, line in each.faults()] == []
    assert RAW.keys() - set().union(*(each.used_raw for each in modules.values())) == set()


def test_writers_of_sql_are_those_of_the_table_and_no_others_of_the_same_name() -> None:
    asking = {file: ast.parse(text) for file, text in SOURCES.items() if "duckdb" in text}
    defined = defaultdict(set)
    for file, tree in asking.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in WRITERS:
                defined[node.name].add(file)
    assert defined == WRITERS
    constants = {node.targets[0].id for node in asking[QUERIES].body  # type: ignore[attr-defined]
                 if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name)}  # fmt: skip
    assert constants >= CONSTANTS
