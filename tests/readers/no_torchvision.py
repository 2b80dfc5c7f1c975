"""mosaicml-streaming imports torchvision for its collections of pictures, and torchvision on PyPI fits CUDA builds of torch alone.

No picture is read here, so an empty module stands in its place while streaming is imported, with whatever names are asked for, and
nobody else finds it there.
"""

import sys
from contextlib import suppress
from importlib.util import find_spec
from types import ModuleType
from typing import ClassVar

# These look for the real one when they are imported.
with suppress(ImportError):
    import datasets  # noqa: F401
with suppress(ImportError):
    import transformers.feature_extraction_utils  # noqa: F401


class _Empty(ModuleType):
    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


names = ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional")
if find_spec("torchvision") is None:
    sys.modules.update({name: _Empty(name) for name in names})
    with suppress(ImportError):
        import streaming  # noqa: F401
    for name in names:
        del sys.modules[name]
