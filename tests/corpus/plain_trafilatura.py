"""trafilatura as it is installed, in a process where nothing was exchanged inside it: HTML in JSON on stdin, texts in JSON on stdout."""

import json
import logging
import subprocess
import sys


def plain_texts(pages, options):
    """What `trafilatura.extract` gives for each page, or the name of what it raises."""
    command = [sys.executable, __file__, json.dumps(options)]
    done = subprocess.run(command, input=json.dumps(pages).encode(), capture_output=True, check=True)
    return json.loads(done.stdout)


def text_or_error(extract, html):
    try:
        return extract(html)
    except Exception as error:  # noqa: BLE001 - its name is the answer
        return type(error).__name__


if __name__ == "__main__":
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    options = json.loads(sys.argv[1])
    texts = [text_or_error(lambda html: trafilatura.extract(html, **options), html) for html in json.load(sys.stdin)]
    json.dump(texts, sys.stdout)
