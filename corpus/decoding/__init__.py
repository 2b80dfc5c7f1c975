"""From the bytes of a page to its text: which encoding they can be in, and which languages the page says it is in."""
