"""mosaicml-streaming imports torchvision for its collections of pictures, and torchvision on PyPI fits CUDA builds of torch alone.

No picture is read here, so an empty module stands in its place, with whatever names are asked for.
"""

import sys
from contextlib import suppress
from types import ModuleType
from typing import ClassVar

with suppress(ImportError):
    import transformers.feature_extraction_utils  # noqa: F401 - which looks for the real one


class _Empty(ModuleType):
    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"):
    sys.modules.setdefault(name, _Empty(name))
