"""What pages and their headers ask of robots and miners, from real pages in an archive to the rules of a run."""

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import SAMPLES, SMALL, seiryu, write_config
from kept_pages import cleaned, config_of, files, own, rows_of, write
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages import annotate
from seiryu.pipelines.unit import Unit

# Headers and elements in the head of a page, and the columns of its document: robots, tdm_reservation, tdm_policy.
PAGES = [
    ([], "", ("", "", "")),
    ([("X-Robots-Tag", "noai, noimageai")], "", ("noai,noimageai", "", "")),
    ([], '<META CONTENT="NoAI" NAME=Robots>', ("noai", "", "")),
    (
        [("X-Robots-Tag", "googlebot: noai"), ("X-Robots-Tag", "noarchive")],
        "<meta name=gptbot content=noai>",
        ("noarchive", "", ""),
    ),
    ([("X-Robots-Tag", "none")], "", ("nofollow,noindex", "", "")),
    ([], '<meta name="ccbot" content="noindex">', ("noindex", "", "")),
    ([("TDM-Reservation", "1"), ("TDM-Policy", "https://a.jp/p.json")], "", ("", "1", "https://a.jp/p.json")),
    ([("tdm-reservation", "1")], '<meta name="tdm-reservation" content="0">', ("", "0", "")),
    ([], "<!-- <meta name=robots content=noai> --><script>'<meta name=robots content=noai>'</script>", ("", "", "")),
]
OWN = "about: everything\nrules:\n  - {name: too_short, signal: letters, low: 10, why: nothing to learn from}\n"


def real_pages(number: int) -> list[tuple[str, bytes]]:
    """Addresses and bodies of Japanese pages from the samples, with text enough."""
    with gzip.open(SAMPLES / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = [row for row in map(json.loads, lines) if row["warc"] == SMALL[0] and row["kind"] == "html"]
    labels = [
        row for row in labels if row["lang_sure"] and row["lang"] == "ja" and row["encoding"] == "utf-8" and row["bytes"] > 9000
    ]
    wanted = {row["offset"] for row in labels if not row.get("dup_group")}
    found = []
    with (SAMPLES / SMALL[0]).open("rb") as file:
        reader = ArchiveIterator(file)
        for record in reader:
            body = record.content_stream().read()
            if reader.get_record_offset() in wanted and body.count(b"</head>") == 1:
                found.append((record.rec_headers.get_header("WARC-Target-URI"), body))
    return found[:number]


def write_archive(path: Path) -> None:
    """PAGES in an archive, and last the first of them again, byte for byte, under a header that asks for noai."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        pages = real_pages(len(PAGES))
        asked = [(headers, element) for headers, element, _ in PAGES]
        for number, ((url, body), (headers, element)) in enumerate(
            zip([*pages, pages[0]], [*asked, ([("X-Robots-Tag", "noai")], "")], strict=True)
        ):
            fields = [("Content-Type", "text/html; charset=utf-8"), *headers]
            sent = StatusAndHeaders("200 OK", fields, protocol="HTTP/1.1")
            payload = io.BytesIO(body.replace(b"</head>", element.encode() + b"</head>"))
            writer.write_record(writer.create_warc_record(f"{url}?{number}", "response", payload=payload, http_headers=sent))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opt_outs")
    write_archive(folder / "pages.warc.gz")
    (folder / "own.yaml").write_text(OWN)
    preset = {"preset": str(folder / "own.yaml")}
    rules = preset | {"change": {"no_ai": {"signal": "noai", "high": 0}}}
    ended = seiryu("run", write_config(folder, folder, extract={"counts_on": preset}, rules=rules, dedup={}), "--until", "clean")
    assert ended.code == 0, ended.err
    return folder / "run"


def number(row: dict) -> int:
    return int(row["url"].rpartition("?")[2])


def test_documents_say_what_their_pages_ask_for(run: Path) -> None:
    found = {number(row): (row["robots"], row["tdm_reservation"], row["tdm_policy"]) for row in rows_of(run, "documents")}
    assert found == {place: columns for place, (_, _, columns) in enumerate([*PAGES, ([], "", ("noai", "", ""))])}


def test_a_rule_on_noai_keeps_such_pages_out_and_no_others(run: Path) -> None:
    assert sorted(map(number, rows_of(run, "corpus"))) == [0, 3, 4, 5, 6, 7, 8]
    recounted = seiryu("rules", run, "--json")
    assert {rule["name"]: rule["rejects"]["documents"] for rule in json.loads(recounted.out)["rules"]} == {
        "too_short": 0,
        "no_ai": 3,
    }


def test_a_stricter_rule_needs_no_archive(run: Path) -> None:
    change = {"no_index": {"signal": "noindex", "high": 0}, "reserved": {"signal": "tdm_reserved", "high": 0}}
    stricter = seiryu("plan", run.parent / "config.yaml", "--json", "--set", f"rules.change={json.dumps(change)}")
    steps = {step["stage"]: step["to_make"] for step in json.loads(stricter.out)["stages"]}
    assert (steps["extract"], steps["annotate"], steps["decide"]) == (0, 0, 1)
    signals = {row["doc_id"]: row for row in rows_of(run, "signals")}
    asked = {number(row): signals[row["doc_id"]] for row in rows_of(run, "documents")}
    assert [place for place in sorted(asked) if asked[place]["noindex"]] == [4, 5]
    assert [place for place in sorted(asked) if asked[place]["tdm_reserved"]] == [6]
    assert [place for place in sorted(asked) if asked[place]["noimageai"]] == [1]


def test_explain_shows_what_a_page_asks_for_and_that_a_text_of_nobodys_asks_for_nothing(run: Path, tmp_path: Path) -> None:
    document = next(row for row in rows_of(run, "documents") if number(row) == 1)
    found = json.loads(seiryu("explain", run, "--json", document["doc_id"]).out)
    assert (found["place"]["robots"], found["signals"]["noai"], found["signals"]["tdm_reserved"]) == ("noai,noimageai", 1, 0)
    assert found["fate"] == [["decide", "rejected by no_ai"]]
    text = tmp_path / "text.txt"
    text.write_text(document["text"], encoding="utf-8")
    found = json.loads(seiryu("explain", run, "--json", "--text", text).out)
    assert [found["signals"][name] for name in ("noai", "noimageai", "noindex", "tdm_reserved")] == [0, 0, 0, 0]
    assert found["fate"][-1] == ["clean", "would stay"]


def test_a_text_that_cleaning_changed_still_asks_for_what_its_page_does(tmp_path: Path) -> None:
    """By a rule that wants noai: a text measured as one without a page would fail it."""
    store, settings = Store(str(tmp_path)), config_of(tmp_path, repeated_lines=None).model_dump(mode="json")
    settings["rules"]["change"]["only_noai"] = {"signal": "noai", "low": 1}
    config = Config.model_validate_json(json.dumps(settings))
    files(store, config, [("a.jp", f"{own(number)}\n問い合わせは info{number}@example.jp まで。") for number in range(3)])
    documents = pq.read_table(store.path("documents/a.parquet"))
    documents = documents.set_column(
        documents.schema.get_field_index("robots"), "robots", pa.array(["noai", "", "nofollow,noai"])
    )
    write(store, "documents/a.parquet", schema.DOCUMENTS, {name: documents[name] for name in documents.column_names})
    annotate.work(Unit("annotate", "a", {}, {}), config, store)
    counts, rows = cleaned(store, config)
    assert [row["doc_id"] for row in rows] == ["id0000", "id0002"]
    assert (counts.extra["changed"], counts.extra["again.only_noai"], counts.rejected["fails_after_cleaning"]) == (3, 1, 1)
