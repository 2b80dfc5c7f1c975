"""What every section of a config is: its fields are all known, typed and unchangeable."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


def takes_files(place: str) -> str:
    """A directory or URL to write to. ValueError for a web server."""
    if place.lower().startswith(("http://", "https://")):
        raise ValueError(f"{place[:80]!r} lies on a web server, which takes no files: a directory or an object store is wanted")
    return place


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants")
