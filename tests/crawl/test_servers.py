"""The servers that the tests talk to: they answer ranges, say what they were asked, and go when the test goes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
import urllib3
from mini_crawl import MiniCrawl
from servers import Asked, Server, at_once, busiest

LATEST = "CC-MAIN-2025-05"


@pytest.fixture
def client() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=20, headers={"User-Agent": 'a "test"'}) as pool:
        yield pool


@pytest.fixture(params=["nginx", "s3"])
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(f"{request.param}_server")


def base(server: Server) -> str:
    return server.url if server.settles else f"{server.url}{servers.BUCKET}/"


def test_a_range_is_answered_with_its_bytes_and_is_in_the_log(
    server: Server, mini_crawl: MiniCrawl, client: urllib3.PoolManager
) -> None:
    server.forget()
    row = mini_crawl.rows(LATEST).slice(5, 1).to_pylist()[0]
    first, last = row["warc_record_offset"], row["warc_record_offset"] + row["warc_record_length"] - 1
    before = time.time()
    answer = client.request(
        "GET", base(server) + row["warc_filename"], headers={"Range": f"bytes={first}-{last}", "User-Agent": "me/1"}
    )
    after = time.time()
    whole = (mini_crawl.root / row["warc_filename"]).read_bytes()
    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes {first}-{last}/{len(whole)}")
    assert answer.data == whole[first : last + 1]
    (asked,) = server.log()
    assert (asked.method, asked.range, asked.status, asked.bytes) == ("GET", f"bytes={first}-{last}", 206, len(answer.data))
    assert asked.path.endswith("/" + row["warc_filename"])
    assert (asked.user_agent, asked.signed) == ("me/1", False)
    assert before - 0.002 <= asked.time <= after  # nginx counts in milliseconds


def test_what_is_not_there_and_what_lies_behind_the_end_are_errors(server: Server, client: urllib3.PoolManager) -> None:
    server.forget()
    assert client.request("GET", base(server) + "no/such/file").status == 404
    assert client.request("GET", base(server) + "collinfo.json", headers={"Range": "bytes=999999-"}).status == 416
    assert [asked.status for asked in server.log()] == [404, 416]


def test_a_head_request_tells_size_and_identity(server: Server, mini_crawl: MiniCrawl, client: urllib3.PoolManager) -> None:
    server.forget()
    answer = client.request("HEAD", base(server) + "collinfo.json")
    assert int(answer.headers["Content-Length"]) == (mini_crawl.root / "collinfo.json").stat().st_size
    assert answer.headers["ETag"]
    assert answer.headers["Last-Modified"]
    assert [(asked.method, asked.bytes) for asked in server.log()] == [("HEAD", 0)]


def test_nginx_lists_its_folders(nginx_server: Server, client: urllib3.PoolManager) -> None:
    page = client.request("GET", f"{nginx_server.url}crawl-data/").data.decode()
    assert f'<a href="{LATEST}/">' in page


def test_the_object_store_lists_its_objects_page_by_page(
    s3_server: Server, mini_crawl: MiniCrawl, client: urllib3.PoolManager
) -> None:
    prefix, found, token, pages = f"crawl-data/{LATEST}/", [], "", 0
    while pages == 0 or token:
        fields = {"list-type": "2", "prefix": prefix, "max-keys": "2"} | ({"continuation-token": token} if token else {})
        page = client.request("GET", s3_server.url + servers.BUCKET, fields=fields).data.decode()
        found += [part.split("</Key>")[0] for part in page.split("<Key>")[1:]]
        token = page.split("<NextContinuationToken>")[1].split("<")[0] if "<NextContinuationToken>" in page else ""
        pages += 1
    folder = mini_crawl.root / prefix
    assert found == sorted(str(path.relative_to(mini_crawl.root)) for path in folder.rglob("*") if path.is_file())
    assert pages > 2


def test_nginx_refuses_what_comes_too_often_and_slows_down_what_is_read(
    mini_crawl: MiniCrawl, client: urllib3.PoolManager
) -> None:
    with servers.nginx(mini_crawl.root, requests_a_second=2, bytes_a_second=100_000) as server:
        statuses = [client.request("GET", server.url + "collinfo.json").status for _ in range(4)]
        assert statuses == [200, 503, 503, 503]
        time.sleep(0.6)
        began, name = time.monotonic(), mini_crawl.listed(LATEST)[0]
        assert client.request("GET", server.url + name, headers={"Range": "bytes=0-149999"}).status == 206
        assert time.monotonic() - began > 0.4
        assert server.log()[-1].seconds > 0.4


def test_nginx_is_up_at_once_in_a_folder_of_its_own(mini_crawl: MiniCrawl, client: urllib3.PoolManager) -> None:
    began = time.monotonic()
    with servers.nginx(mini_crawl.root) as server:
        assert time.monotonic() - began < 1
        assert client.request("GET", server.url + "collinfo.json").status == 200
        assert len(server.log()) == 1
    assert not server.folder.exists()
    assert not group(server.process)


@pytest.mark.parametrize(
    ("kind", "how"), [("nginx", signal.SIGINT), ("nginx", signal.SIGTERM), ("nginx", signal.SIGKILL), ("s3", signal.SIGKILL)]
)
def test_a_server_ends_with_its_test_however_that_ends(kind: str, how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    code = f"import servers, sys, time\nwith servers.{kind}(servers.Path(sys.argv[1])) as server: print(server.process, flush=True); time.sleep(60)"
    environment = os.environ | {"PYTHONPATH": str(Path(servers.__file__).parent), "TMPDIR": str(tmp_path)}
    test = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    process = int(test.stdout.readline())
    assert len(group(process)) >= 2  # the guard and the server
    test.send_signal(how)
    test.wait(10)
    test.stdout.close()
    patience = time.monotonic() + 10
    while group(process) and time.monotonic() < patience:
        time.sleep(0.02)
    assert not group(process)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_nginx_runs_as_another_user() -> None:
    """As one who may not read root's folders either: all it needs is copied to where it may."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in ("servers.py", "guard.py"):
            (folder / source).write_bytes(Path(servers.__file__).with_name(source).read_bytes())
        (folder / "file").write_text("text")
        os.chown(folder, 65534, 65534)
        code = (
            "import servers, urllib.request\nwith servers.nginx(servers.Path('.')) as server:\n"
            "    print(urllib.request.urlopen(server.url + 'file').read().decode(), server.log()[0].status)"
        )
        environment = {"PATH": "/usr/bin:/bin", "TMPDIR": name, "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            [python_for_everybody(), "-c", code], user=65534, group=65534, extra_groups=(), cwd=folder, env=environment,
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    assert done.stdout.split() == ["text", "200"], done.stderr


def test_the_busiest_second_and_the_most_at_once_are_counted() -> None:
    log = [asked(10.0, 1.0), asked(10.2, 0.1), asked(10.9, 0.5), asked(11.0, 0.1), asked(12.5, 1)]
    assert busiest(log, 1.0) == 3
    assert busiest(log, 1.01) == 4
    assert busiest([], 1.0) == 0
    assert at_once(log) == 2
    assert at_once([asked(1, 1), asked(2, 1)]) == 1


def python_for_everybody() -> str:
    """One that another user may start; an environment below root's home is none."""
    for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            code = "import sys; sys.exit(sys.version_info < (3, 11))"
            if (
                subprocess.run([python, "-c", code], user=65534, group=65534, extra_groups=(), cwd="/", check=False).returncode
                == 0
            ):
                return python
        except OSError:
            continue
    pytest.skip("no Python here that another user may start")


def asked(time: float, seconds: float) -> Asked:
    return Asked(time, seconds, "GET", "/", "", 200, 0, "", signed=False)


def group(process: int) -> list[int]:
    """Living processes of a group; one that is dead and not yet waited for is not living."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, number = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(number) == process and state != "Z":
                found.append(int(folder.name))
    return found
