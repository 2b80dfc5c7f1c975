"""Floors under measured figures: what was reached must not get less, by chance or by an update.

`SEIRYU_UPDATE_FLOORS=1 python -m pytest FILE` raises floors to what is measured and takes new data over; it lowers one only if
`SEIRYU_LOWER_FLOORS=1` is given too.
"""

import hashlib
import math
import os

UPDATE, LOWER = os.environ.get("SEIRYU_UPDATE_FLOORS") == "1", os.environ.get("SEIRYU_LOWER_FLOORS") == "1"
HOW = "SEIRYU_UPDATE_FLOORS=1 python -m pytest and the test's file"


def sha256s(*files):
    """Hash of each file that the figures depend on."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def other_data(known, found):
    """What to say when the floors were measured on other data; empty when they were not."""
    if changed := sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name)):
        return f"the floors were measured on other data ({', '.join(changed)}): restore it, or measure them anew: {HOW}"
    return ""


def broken(floors, figures):
    """The floors that the figures do not reach, and figures that have no floor."""
    lines = []
    for group in sorted(floors.keys() | figures.keys()):
        floor, figure = floors.get(group, {}), figures.get(group, {})
        for name in sorted(floor.keys() | figure.keys()):
            if figure.get(name, -1.0) < floor.get(name, math.inf):
                lines.append(f"{group}: {name} is {figure.get(name)}, its floor {floor.get(name)}")
    return lines


def moved(floors, figures, may_lower):
    """Floors at the figures, rounded down to three digits. None is lowered, nor dropped, unless it may be."""
    new = {group: {name: math.floor(1e3 * value) / 1e3 for name, value in of.items()} for group, of in figures.items()}
    if not may_lower and (lines := broken(floors, {group: new.get(group, {}) for group in floors})):
        raise PermissionError("; ".join(lines) + "; SEIRYU_LOWER_FLOORS=1 lowers floors")
    return new
