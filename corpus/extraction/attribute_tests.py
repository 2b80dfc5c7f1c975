"""XPath expressions that ask only for an element's tag and attributes, answered from memory.

trafilatura looks for menus, footers and articles with expressions of dozens of regular expressions on class and id, several
times over each page: 45 % of its time. But a site's elements bear the same few classes, page after page. So each
combination of tag and attributes is put to the expression once, on an element made for it; the answer is remembered. The
expressions stay trafilatura's own, and the elements found are the same, in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml.etree import Element, SubElement, XPath, _Element

REMEMBERED = 1 << 16  # combinations; then all are forgotten, so that a worker does not grow
_NAMES = re.compile(r"@([\w-]+)")
_OTHER = "other"


class AttributeTest:
    """Stands in for an XPath `.//*[...]` whose conditions look at nothing but the element itself.

    `tags`: the names that the expression mentions. Elements of other names are asked about too unless `only`. With `suspects` the
    expression also asks for descendants to be missing: who fulfils it when it has none is a suspect, and where there is one
    the expression itself decides.
    """

    def __init__(
        self, xpath: XPath, tags: Iterable[str], *, only: bool = True, first: bool = False, suspects: bool = False
    ) -> None:
        self._xpath, self._tags, self.first, self._suspects = xpath, frozenset(tags), first, suspects
        self._searched = sorted(self._tags) if only else ["*"]
        self._names = frozenset(_NAMES.findall(xpath.path))
        self._answers: dict[tuple[str, ...], bool] = {}
        self.path = xpath.path

    @property
    def remembered(self) -> int:
        """Combinations in memory."""
        return len(self._answers)

    def __call__(self, tree: _Element) -> list[_Element]:
        """The elements below `tree` that fulfil the expression, in document order; at most one if only the first is wanted."""
        found = []
        answers, names, tags = self._answers, self._names, self._tags
        for element in tree.iterdescendants(*self._searched):
            key: tuple[str, ...] = (element.tag if element.tag in tags else _OTHER,)
            for name, value in element.items():
                if name in names:
                    key += (name, value)
            answer = answers.get(key)
            if answer is None:
                try:
                    answer = self._ask(key)
                except ValueError:  # a value that lxml reads but does not write, such as one with a control character
                    return list(self._xpath(tree))
            if answer:
                if self._suspects:
                    return list(self._xpath(tree))
                found.append(element)
                if self.first:
                    break
        return found

    def _ask(self, key: tuple[str, ...]) -> bool:
        parent = Element("body")
        element = SubElement(parent, key[0])
        for i in range(1, len(key), 2):
            element.set(key[i], key[i + 1])
        answer = bool(self._xpath(parent))
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        self._answers[key] = answer
        return answer
