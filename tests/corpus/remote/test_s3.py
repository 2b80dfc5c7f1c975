"""Objects by s3:// from a server that speaks its protocol (moto), and from one that misbehaves."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from faulty_server import answer, changed, cut

from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.remote.manners import Manners
from seiryu.corpus.remote.remote import Remote
from seiryu.corpus.remote.s3 import S3, listed, split
from seiryu.corpus.remote.trouble import Fault

SAMPLE = sorted((Path(__file__).parents[3] / "samples").glob("*.warc.gz"))[0]
KEYS = ["crawl/a.warc.gz", "crawl/sub/b c+d%.txt", "crawl/日本.txt", "crawl-other/x"]


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """The address of a store with a bucket `corpus` and what `KEYS` name, readable by all."""
    import boto3

    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(Path(sys.prefix) / "s3/bin/python"), "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=sink,
            stderr=sink,
            env=os.environ | {"MOTO_S3_DEFAULT_MAX_KEYS": "3"},
        )
    try:
        until, address = time.monotonic() + 30, ""
        while not address and time.monotonic() < until:
            lines = log.read_text().split()
            address = next((word for word in lines if word.startswith("http://127.")), "")
            time.sleep(0.05)
        assert address, log.read_text()
        urllib.request.urlopen(address, timeout=10).close()
        client = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket="corpus")
        for key in KEYS:
            body = SAMPLE.read_bytes() if key.endswith(".gz") else key.encode()
            client.put_object(Bucket="corpus", Key=key, Body=body, ACL="public-read")
        client.put_object(Bucket="corpus", Key="crawl/sub/", Body=b"", ACL="public-read")
        for number in range(8):
            client.put_object(Bucket="corpus", Key=f"many/{number}", Body=b"", ACL="public-read")
        yield address
    finally:
        process.terminate()
        process.wait()


def manners(endpoint, **others):
    return Manners("seiryu-test/0 (+nobody)", timeout=2, attempts=3, patience=0.3, pause=0.002, endpoint=endpoint, **others)


@pytest.fixture
def store(moto, budget):
    return Remote(manners(moto), budget)


@pytest.fixture
def faulty(server, budget):
    """The same from a server that follows a plan; the bucket is `corpus`."""
    server.put(SAMPLE.read_bytes(), "/corpus/a.warc.gz")
    return Remote(manners(server.url), budget)


def test_an_archive_in_a_bucket_has_the_records_of_the_one_on_disk(store, budget):
    with store.open("s3://corpus/crawl/a.warc.gz") as file, SAMPLE.open("rb") as disk:
        assert list(raw_records(file, "a", 1 << 24)) == list(raw_records(disk, "a", 1 << 24))
    assert budget.given == 1


def test_objects_ranges_parts_and_identities_are_right(store):
    data, url = SAMPLE.read_bytes(), "s3://corpus/crawl/a.warc.gz"
    assert store.read(url) == data
    assert store.read_range(url, 100, 5000) == data[100:5100]
    with store.open_parts(url) as file:
        assert file.read(200_000) == data[:200_000]
        assert file.seek(0, 2) == len(data)
    known = store.identity(url)
    assert known["size"] == len(data)
    assert known["ETag"]
    assert known["Last-Modified"]


def test_all_that_lies_below_a_prefix_is_listed_by_its_own_name(store):
    found = store.list("s3://corpus/crawl")
    assert found == sorted(f"s3://corpus/{key}" for key in KEYS if key.startswith("crawl/"))
    assert [store.read(url).decode() for url in found[1:]] == [url.removeprefix("s3://corpus/") for url in found[1:]]
    assert store.list("s3://corpus/none") == []


def test_all_pages_of_a_listing_are_read_each_with_a_ticket(store, budget):
    """This store gives three names a page."""
    assert store.list("s3://corpus/many/") == [f"s3://corpus/many/{number}" for number in range(8)]
    assert budget.given == 3


@pytest.mark.parametrize("url", ["s3://corpus/none", "s3://no-such-bucket/a"])
def test_what_is_not_in_the_store_does_not_exist(store, url):
    with pytest.raises(InputError, match=rf"^{url} does not exist: the server answered 404 .*\(NoSuch"):
        store.read(url)
    with pytest.raises(InputError, match="does not exist"):
        store.identity(url)


def test_a_bucket_that_is_not_there_has_no_empty_listing(store):
    with pytest.raises(InputError, match="NoSuchBucket"):
        store.list("s3://no-such-bucket/a")


def test_nothing_is_signed_unless_it_is_asked(faulty, server, budget, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    faulty.read("s3://corpus/a.warc.gz")
    assert server.asked[-1].path == "/corpus/a.warc.gz"
    server.always = answer(200, b"x")
    signed = Remote(manners(server.url, signed=True), budget)
    assert signed.read("s3://corpus/a.warc.gz") == b"x"
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE" in server.asked[-1].path
    server.always = answer(500)
    with pytest.raises(Unreachable) as raised:
        signed.read("s3://corpus/a.warc.gz")
    assert "AKIDEXAMPLE" not in str(raised.value)


def test_to_sign_without_credentials_may_go_well_later(server, budget, monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unreachable, match=r"s3://corpus/a cannot be asked: .*credentials"):
        Remote(manners(server.url, signed=True), budget).read("s3://corpus/a")
    assert not server.asked


def error(status, code):
    return answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>Please.</Message></Error>".encode())


def test_slow_down_slows_everybody(faulty, server, budget):
    server.plan = [error(503, "SlowDown"), error(400, "Throttling")]
    assert faulty.read_range("s3://corpus/a.warc.gz", 0, 2) == b"\x1f\x8b"
    assert [why for why, _ in budget.slowed] == [
        "corpus answered 503 Service Unavailable (SlowDown: Please.) to s3://corpus/a.warc.gz",
        "corpus answered 400 Bad Request (Throttling: Please.) to s3://corpus/a.warc.gz",
    ]


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "ExpiredToken")])
def test_a_refusal_is_the_end_and_hints_at_a_wrong_name(faulty, server, status, code):
    server.always = error(status, code)
    with pytest.raises(
        Forbidden, match=rf"^s3://corpus/a: .*{code}.*may not be listed also says so of a name that does not exist"
    ):
        faulty.read("s3://corpus/a")
    assert len(server.asked) == 1


def test_a_bucket_in_another_region_is_asked_there_and_its_move_is_remembered(faulty, server, budget):
    server.plan = [answer(301, x_amz_bucket_region="eu-west-1")]
    for _ in range(2):
        assert faulty.read_range("s3://corpus/a.warc.gz", 0, 2) == b"\x1f\x8b"
    assert budget.given == len(server.asked) == 3


def test_a_signature_names_the_region_that_the_store_told(server, budget, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server.plan = [
        answer(400, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"),
        answer(200, b"x"),
    ]
    assert Remote(manners(server.url, signed=True), budget).read("s3://corpus/a") == b"x"
    assert "us-east-1" in server.asked[0].path
    assert "eu-west-3" in server.asked[1].path


def test_faults_of_the_transport_are_got_over_as_on_the_web(faulty, server):
    server.plan = [cut(100_000, "reset"), answer(500), cut(50_000), changed(Content_Range=None), cut(3, "stall")]
    assert faulty.open("s3://corpus/a.warc.gz").read() == SAMPLE.read_bytes()


def page(keys, *, more="false", count=None, token=""):
    names = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    told = len(keys) if count is None else count
    space = "xmlns='http://s3.amazonaws.com/doc/2006-03-01/'"
    return (f"<ListBucketResult {space}><KeyCount>{told}</KeyCount><IsTruncated>{more}</IsTruncated>"
            f"<NextContinuationToken>{token}</NextContinuationToken>{names}</ListBucketResult>").encode()  # fmt: skip


@pytest.mark.parametrize("bad", [b"", b"<html>", b"<Error/>", page(["a"])[:-5], page(["a"], count=2), page(["a"], more="true"),
                                 page(["a"], more=""), page([""])])  # fmt: skip
def test_a_listing_that_is_none_or_not_whole_is_asked_again_and_never_empty(faulty, server, bad):
    with pytest.raises(Fault):
        listed(bad)
    server.plan = [answer(200, bad), answer(200, page(["a", "b"]))]
    assert faulty.list("s3://corpus/") == ["s3://corpus/a", "s3://corpus/b"]
    server.always = answer(200, bad)
    with pytest.raises(Unreachable, match=r"^s3://corpus/ \(listing\): .*given up after 3 attempts"):
        faulty.list("s3://corpus/")


def test_a_listing_that_repeats_its_page_is_given_up(faulty, server):
    server.always = answer(200, page(["a"], more="true", token="t"))
    with pytest.raises(Unreachable, match="the same page"):
        faulty.list("s3://corpus/")


@pytest.mark.parametrize("url", ["s3://", "s3:///a", "s3://a", "s3://a_bucket", "s3://corpus/"])
def test_what_names_no_object_is_refused(store, url):
    with pytest.raises(InputError, match=r"names no (bucket|object): s3://bucket/key is wanted"):
        store.read(url)


def test_a_key_may_hold_anything():
    assert split("s3://b-1.c/a?b#c//d e%20") == ("b-1.c", "a?b#c//d e%20")


def test_without_boto3_an_error_says_how_to_get_it():
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        "from seiryu.corpus.remote.remote import Manners, Remote\n"
        "from seiryu.corpus.errors import InputError\n"
        "from seiryu.corpus.remote.budget import Limits, LocalBudget\n"
        "remote = Remote(Manners('a'), LocalBudget(Limits(1, 1, None)))\n"
        "try: remote.read('s3://corpus/a')\n"
        "except InputError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "s3://corpus/a needs boto3, which is not installed: pip install boto3\n"


def test_boto3_is_imported_for_s3_only():
    code = "import sys; import seiryu.corpus.remote.remote; print([name for name in sys.modules if name.startswith('boto')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_addresses_at_aws_are_those_of_the_bucket():
    place = S3(Manners("a")).place("s3://commoncrawl/crawl-data/a b+c.gz")
    assert place.address("GET").endswith(".amazonaws.com/crawl-data/a%20b%2Bc.gz")
    assert "://commoncrawl.s3" in place.address("HEAD")
