"""Real servers on loopback that hand out a folder: nginx, and an object store that speaks the protocol of S3 (moto's server mode).

Each lives in a temporary folder with its configuration and log, runs as whoever runs the test, and ends with it however that ends
(guard.py). The listening socket is opened here and handed down, so no port is guessed and no request comes too early.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUCKET = "commoncrawl"
STARTING = 20.0  # seconds that a server may take, on a busy machine
_NGINX = """
daemon off;
{user}
worker_processes 1;  # so that requests are logged one after another
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  log_format asked escape=json '{{"ended":$msec,"seconds":$request_time,"method":"$request_method","path":"$request_uri",'
    '"range":"$http_range","status":$status,"bytes":$body_bytes_sent,"user_agent":"$http_user_agent",'
    '"signed":"$http_authorization","connection":$connection}}';
  access_log {folder}/access.log asked;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  limit_req_zone $server_addr zone=all:1m rate={requests}r/s;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location / {{
      autoindex on;
      {limits}
    }}
    location = /.settled {{
      access_log off;
      return 204;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the server saw it: `time` is when it came (seconds since 1970), `seconds` how long it took, `bytes` of the body."""

    time: float
    seconds: float
    method: str
    path: str
    range: str
    status: int
    bytes: int
    user_agent: str
    signed: bool
    connection: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """`process`: the id of the group that the server is in."""

    url: str
    folder: Path
    process: int
    settles: bool = False

    def log(self) -> list[Asked]:
        """All requests since the start or the last `forget`, in the order of their ends. Complete: nothing is still to be written."""
        if self.settles:  # nginx writes a line after the last byte is out, and does nothing else in between
            _ask(self.url + ".settled")
        return [_asked(json.loads(line)) for line in (self.folder / "access.log").read_text().splitlines()]

    def forget(self) -> None:
        self.log()
        os.truncate(self.folder / "access.log", 0)


@contextmanager
def nginx(root: Path, *, bytes_a_second: int = 0, requests_a_second: int = 0) -> Iterator[Server]:
    """`bytes_a_second` slows every connection down; above `requests_a_second` it answers 503, as a real one does."""
    limits = f"limit_rate {bytes_a_second};" * bool(bytes_a_second) + "limit_req zone=all;" * bool(requests_a_second)
    with tempfile.TemporaryDirectory(prefix="nginx-") as name, _listening() as (listener, port):
        folder = Path(name)
        user = "user root;" * (os.geteuid() == 0)  # or root's server would become somebody who may not read the folder
        config = _NGINX.format(
            folder=folder, port=port, root=root.resolve(), limits=limits, requests=requests_a_second or 1, user=user
        )
        (folder / "nginx.conf").write_text(config)
        command = [find_nginx(), "-p", name, "-c", f"{name}/nginx.conf", "-e", f"{name}/error.log"]
        with _running(command, folder, listener, {"NGINX": f"{listener.fileno()};"}) as process:
            server = Server(f"http://127.0.0.1:{port}/", folder, process, settles=True)
            try:
                server.log()
            except OSError as why:
                said = [path.read_text() for path in (folder / "output", folder / "error.log") if path.exists()]
                raise RuntimeError(f"nginx did not start: {' '.join(said)}") from why
            yield server


@contextmanager
def s3(root: Path, bucket: str = BUCKET, lag: float = 0) -> Iterator[Server]:
    """An object store with all files below `root` in a bucket; `url` is its endpoint, and it wants no credentials.

    `lag`: seconds for which its listings do not show what was written or deleted.
    """
    with tempfile.TemporaryDirectory(prefix="s3-") as name, _listening() as (listener, port):
        folder, script = Path(name), Path(__file__).with_name("object_store.py")
        command = [find_object_store(), str(script), str(listener.fileno()), str(root), bucket, f"{name}/access.log", str(lag)]
        (folder / "access.log").touch()
        with _running(command, folder, listener, {}) as process:
            server = Server(f"http://127.0.0.1:{port}/", folder, process)
            try:
                _ask(f"{server.url}{bucket}?list-type=2&max-keys=1")
            except OSError as why:
                raise RuntimeError(f"the object store did not start: {(folder / 'output').read_text()}") from why
            server.forget()
            yield server


def find_nginx() -> str:
    """Its path, or nothing. Debian puts it where the PATH of a user who is not root does not lead."""
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])) or ""


def find_object_store() -> str:
    """The Python of the environment that the object store has for itself: it and seiryu want other versions of one package."""
    python = Path(sys.prefix) / "s3/bin/python"
    if not python.exists():
        raise RuntimeError(f"there is no {python}: `make test` installs the object store that the tests talk to")
    return str(python)


def busiest(asked: Iterable[Asked], seconds: float) -> int:
    """The most requests that came within any stretch of so many seconds."""
    times = sorted(row.time for row in asked)
    first, most = 0, 0
    for last, time in enumerate(times):
        while time - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def at_once(asked: Iterable[Asked]) -> int:
    """The most requests that were being answered at one moment."""
    changes = sorted(change for row in asked for change in ((row.time, 1), (row.time + row.seconds, -1)))
    open_now = most = 0
    for _, change in changes:
        open_now += change
        most = max(most, open_now)
    return most


def _ask(url: str) -> None:
    """A request that no proxy of the environment sees."""
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=STARTING).close()


def _asked(line: dict) -> Asked:
    ended = line.pop("ended")
    return Asked(time=ended - line["seconds"], **line | {"signed": bool(line["signed"])})


@contextmanager
def _listening() -> Iterator[tuple[socket.socket, int]]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener, listener.getsockname()[1]


@contextmanager
def _running(command: list[str], folder: Path, listener: socket.socket, environment: dict[str, str]) -> Iterator[int]:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), str(listener.fileno()), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
            env=os.environ | environment,
            cwd=folder,
            start_new_session=True,
        )
    listener.close()  # or requests would wait for a server that has ended
    try:
        yield process.pid
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
