"""`make chaos`: many runs under chaos, one seed after the other, against the bytes of one in peace. Exit 1 if one differs.

python tests/chaos [--runs N] [--seed FIRST] [--folder FOLDER]
"""

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "crawl"), str(HERE.parent / "pipelines")]


def main() -> int:
    from chaos import report
    from stories import told

    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others follow")
    parser.add_argument("--folder", type=Path, default=None, help="kept if it is named")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seiryu-chaos-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        stories = []
        for story in told(range(asked.seed, asked.seed + asked.runs), folder):
            print(story.line(), flush=True)
            stories.append(story)
    print(report(stories))
    return int(any(story.wrong for story in stories))


if __name__ == "__main__":
    sys.exit(main())
