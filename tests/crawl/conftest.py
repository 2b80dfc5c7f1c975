"""A miniature Common Crawl and the servers that hand it out; made once a worker, tests only read them."""

from collections.abc import Iterator

import pytest
import servers
from mini_crawl import SAMPLES, MiniCrawl, Shape, make_mini_crawl
from whole_runs import BY_INDEX, Run, few_archives, new_run


@pytest.fixture(scope="session")
def mini_crawl(tmp_path_factory: pytest.TempPathFactory) -> MiniCrawl:
    return make_mini_crawl(tmp_path_factory.mktemp("mini_crawl"), sorted(SAMPLES.glob("*.warc.gz")))


@pytest.fixture(scope="session")
def nginx_server(mini_crawl: MiniCrawl) -> Iterator[servers.Server]:
    if not servers.find_nginx():
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    with servers.nginx(mini_crawl.root) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(mini_crawl: MiniCrawl) -> Iterator[servers.Server]:
    """`url` is the endpoint; the objects lie in its bucket `commoncrawl`."""
    with servers.s3(mini_crawl.root) as server:
        yield server


FEW = Shape(index_files=2, row_group_rows=20)


@pytest.fixture(scope="session")
def few_pages(tmp_path_factory: pytest.TempPathFactory) -> MiniCrawl:
    """A miniature for whole runs: two crawls of four archives of a dozen pages."""
    return make_mini_crawl(tmp_path_factory.mktemp("few_pages"), few_archives(tmp_path_factory.mktemp("few_archives")), FEW)


@pytest.fixture(scope="session")
def few_server(few_pages: MiniCrawl) -> Iterator[servers.Server]:
    if not servers.find_nginx():
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    with servers.nginx(few_pages.root) as server:
        yield server


@pytest.fixture(scope="session")
def few_objects(few_pages: MiniCrawl) -> Iterator[servers.Server]:
    """The same in an object store."""
    with servers.s3(few_pages.root) as server:
        yield server


@pytest.fixture(scope="session")
def whole_run(few_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run over whole archives, which are kept in `cache`. Tests only read it."""
    folder = tmp_path_factory.mktemp("whole")
    return _made(new_run(folder, few_server.url, source={"cache": str(folder / "cache")}), few_server)


@pytest.fixture(scope="session")
def index_run(few_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same by the index, of four workers that may ask ten times a second. Tests only read it."""
    slowly = {"fetch": {"requests_a_second": 10}, "engine": {"workers": 4}}
    return _made(new_run(tmp_path_factory.mktemp("index"), few_server.url, source=BY_INDEX, **slowly), few_server)


def _made(run: Run, server: servers.Server) -> Run:
    server.forget()
    ended = run.make()
    assert ended.code == 0, ended.err
    run.asked.extend(server.log())
    return run
