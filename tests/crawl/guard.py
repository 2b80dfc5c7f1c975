"""Runs a server for as long as somebody holds the other end of its standard input; see servers.py.

    python guard.py SOCKET COMMAND ...

When the test ends, in whatever way, the pipe is closed and the server is told to end. The server is waited for here, so that it is
nobody's orphan. SOCKET is handed to the server and closed here: requests to a server that has ended are refused.
"""

import os
import subprocess
import sys
import threading


def main(listener: int, command: list[str]) -> int:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[listener])
    os.close(listener)

    def end() -> None:
        sys.stdin.buffer.read()
        server.terminate()
        try:
            server.wait(3)
        except subprocess.TimeoutExpired:
            server.kill()

    threading.Thread(target=end, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
