"""A miniature Common Crawl and the servers that hand it out; made once a worker, tests only read them."""

from collections.abc import Iterator

import pytest
import servers
from mini_crawl import SAMPLES, MiniCrawl, Shape, make_mini_crawl
from whole_runs import BY_INDEX, Run, few_archives, new_run, together


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
def finished(few_pages: MiniCrawl, few_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The runs below, made at the same time, each over a server of its own."""
    folder = tmp_path_factory.mktemp("finished")
    cache, two = {"cache": str(folder / "cache")}, {"workers": 2}
    with servers.nginx(few_pages.root) as other:
        whole = new_run(folder / "whole", few_server.url, source=cache, fetch={"requests_a_second": 2.5}, engine=two)
        index = new_run(folder / "index", other.url, source=BY_INDEX, fetch={"requests_a_second": 10}, engine=two)
        assert [(ended.code, ended.err) for ended in together(whole, index) if ended.code] == []
        whole.asked.extend(few_server.log())
        index.asked.extend(other.log())
    return whole, index


@pytest.fixture(scope="session")
def whole_run(finished: tuple[Run, Run]) -> Run:
    """A finished run over whole archives, which are kept in `cache`; it might ask five times in two seconds. Tests only read it."""
    return finished[0]


@pytest.fixture(scope="session")
def index_run(finished: tuple[Run, Run]) -> Run:
    """A finished run by the index that might ask ten times a second. Its server has gone. Tests only read it."""
    return finished[1]
