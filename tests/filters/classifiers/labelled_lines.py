"""Labelled texts that are told apart by their words."""

WORDS = [f"語{k}" for k in range(400)]


def lines(labels: tuple[str, ...], many: int = 60) -> list[tuple[str, str]]:
    """(label, text) in turn; the texts of the first four labels share no words."""
    found = []
    for k in range(many):
        for place, label in enumerate(labels):
            own = WORDS[place % 4 * 100 : place % 4 * 100 + 100]
            found.append((label, " ".join(own[(7 * k + 13 * step) % 100] for step in range(12))))
    return found
