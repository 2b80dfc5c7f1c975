"""YAML that says one thing: what PyYAML takes in silence, or ends with an error of Python's own, is one line that knows where.

Refused are a key given twice, of which PyYAML lets the last win; an alias for what it lies in; nesting that no file of ours has; a
value that is not what it looks like, such as 2024-99-99. Keys are counted before anything is constructed, because `<<` may well bring
one that stands there.
"""

from __future__ import annotations

from typing import Any

import yaml

_DEEPEST = 100


class YamlError(ValueError):
    """A text that cannot be used as YAML; one line. `line` is 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line

    def at(self, where: str) -> str:
        """The message behind file and line."""
        return f"{where}:{self.line}: {self}" if self.line else f"{where}: {self}"


def read_yaml(text: str) -> tuple[Any, yaml.Node | None]:
    """The value of a text, and the node that knows its lines. YamlError for what is no YAML, or not of this kind.

    Of equal keys in a mapping of the node the last one holds: `<<` brought the first.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None, None
            _check(node, set(), set())
            return loader.construct_document(node), node
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise YamlError(f"not YAML: {error.problem or error.context}", _line(error.problem_mark)) from error
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise YamlError("nested too deep") from error


def _check(node: yaml.Node, above: set[int], seen: set[int]) -> None:
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    if id(node) in above:
        raise YamlError("an alias stands for what it lies in", _line(node.start_mark))
    if len(above) == _DEEPEST:
        raise YamlError("nested too deep", _line(node.start_mark))
    above.add(id(node))
    inside = node.value
    if isinstance(node, yaml.MappingNode):
        _each_key_once(node)
        inside = [part for pair in node.value for part in pair]
    for part in inside:
        _check(part, above, seen)
    above.remove(id(node))
    seen.add(id(node))


def _each_key_once(node: yaml.MappingNode) -> None:
    keys: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                raise YamlError(f"{key.value!r} stands there twice", _line(key.start_mark))
            keys.add(key.value)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 0


class _Loader(yaml.SafeLoader):
    """Says of which value Python could make nothing."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            made = super().construct_object(node, deep)
            if isinstance(made, int):
                str(made)  # ValueError for one that Python would not write down again
            return made
        except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise YamlError(f"{str(node.value)[:40]!r} cannot be read as {kind}", _line(node.start_mark)) from error
