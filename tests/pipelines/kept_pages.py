"""Documents that are kept, in small tables made here, and what `lines`, `boilerplate` and `clean` make of them."""

import datetime
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages import annotate, boilerplate, clean, lines
from seiryu.pipelines.unit import Unit

MENU = "ホーム　会社案内　採用情報　お知らせ一覧"
SENTENCES = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。", "何でも薄暗いじめじめした所で泣いていた事だけは記憶している。",
    "吾輩はここで始めて人間というものを見た。しかもあとで聞くとそれは書生だという。", "この書生というのは時々我々を捕えて煮て食うという話である。",
    "しかしその当時は何という考もなかったから別段恐しいとも思わなかった。", "ただ彼の掌に載せられてスーと持ち上げられた時何だかフワフワした感じがあった。",
    "掌の上で少し落ちついて書生の顔を見たのがいわゆる人間の見始であろう。", "この時妙なものだと思った感じが今でも残っている。",
    "第一毛をもって装飾されべきはずの顔がつるつるしてまるで薬缶だ。", "その後猫にもだいぶ逢ったがこんな片輪には一度も出会わした事がない。",
    "のみならず顔の真中があまりに突起している。", "そうしてその穴の中から時々ぷうぷうと煙を吹く。", "どうも咽せぽくて実に弱った。",
    "これが人間の飲む煙草というものである事はようやくこの頃知った。",
)  # fmt: skip
PROSE = "\n".join(SENTENCES)


def config_of(run, **cleaning):
    rules = {"change": {name: {"high": 1} for name in ("duplicate_5gram", "duplicate_6gram")}}
    section = {"repeated_lines": {"min_pages": 3, "min_share": 0.5, "partitions": 3}} | cleaning
    lists = {"lists": {"ng": ["hojichar:adult_keywords_ja"]}}
    config = {"run": str(run), "source": {"paths": ["none"]}, "signals": lists, "rules": rules, "clean": section}
    return Config.model_validate_json(json.dumps(config))


def files(store, config, pages, units=("a",), duplicates=()):
    """Documents files of (site, text) pages, dealt out in turn, with all that the stages before `lines` make of them."""
    for number, unit in enumerate(units):
        mine = list(enumerate(pages))[number :: len(units)]
        ids, sites, texts = (
            [f"id{row:04d}" for row, _ in mine],
            [site for _, (site, _) in mine],
            [text for _, (_, text) in mine],
        )
        date = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
        known = {"doc_id": ids, "text": texts, "host": sites, "crawl_date": [date] * len(ids), "language_score": [1.0] * len(ids)}
        empty = {"string": "", "int64": 0, "int32": 0}
        columns = {field.name: known.get(field.name, [empty.get(str(field.type))] * len(ids)) for field in schema.DOCUMENTS}
        write(store, f"documents/{unit}.parquet", schema.DOCUMENTS, columns)
        annotate.work(Unit("annotate", unit, {}, {}), config, store)
        nothing = [""] * len(ids)
        write(
            store, f"addresses/{unit}.parquet", schema.ADDRESSES, {"doc_id": ids, "host": sites, "site": sites, "listed": nothing}
        )
        write(
            store, f"verdicts/{unit}.parquet", schema.VERDICTS, {"doc_id": ids, "reject_mask": [0] * len(ids), "blocked": nothing}
        )
        verdicts = ["near_duplicate" if doc_id in duplicates else "kept" for doc_id in ids]
        none = dict.fromkeys(("run", "similarity", "duplicates"), [0] * len(ids))
        decisions = {"doc_id": ids, "verdict": verdicts, "duplicate_of": nothing, "cluster": ids, **none}
        write(store, f"dedup/{unit}.parquet", schema.DECISIONS, decisions)


def write(store, name, wanted, columns):
    with store.writing(name) as out:
        schema.write_table(schema.table(wanted, columns), out)


def second_pass(config, number, rows, units=("a",), kind="line"):
    """A unit of `boilerplate`."""
    partitions = lines.asked(config)[kind].partitions
    params = {"kind": kind, "partition": number, "partitions": partitions, "rows": rows}
    return Unit("boilerplate", boilerplate.unit_name(kind, number), params, {}, reads=tuple(units))


def count(store, config, units=("a",)):
    """Both passes; the rows of all partitions by kind."""
    first = [lines.work(Unit("lines", unit, {}, {}), config, store).counts.extra for unit in units]
    found = {"line": [], "paragraph": []}
    for kind, chosen in lines.asked(config).items():
        rows, summed = sum(extra[f"{kind}_counts"] for extra in first), Counter()
        for number in range(chosen.partitions):
            result = boilerplate.work(second_pass(config, number, rows, units, kind), config, store)
            result.counts.check("boilerplate")
            table = pq.read_table(Path(store.path(result.outputs[0].name)))
            assert result.outputs[0].name == f"boilerplate/{kind}s-{number:04d}.parquet"
            assert result.counts.extra[f"{kind}s"] == len(table)
            summed.update({"records": result.counts.records, "sites": result.counts.extra["sites"]})
            found[kind] += table.to_pylist()
        kept = [name for unit in units for name in lines.survivors(store, config, unit)["site"].to_pylist()]
        assert summed == Counter({"records": rows, "sites": len(set(kept) - {""}) if kind == "line" else 0})
    return found


def cleaned(store, config, unit="a"):
    """(counts, rows of the corpus) of one file."""
    result = clean.work(Unit("clean", unit, {}, {}), config, store)
    result.counts.check("clean")
    assert [output.name for output in result.outputs] == [f"corpus/{unit}.parquet"]
    return result.counts, pq.read_table(store.path(f"corpus/{unit}.parquet")).to_pylist()


def own(number):
    """Prose of which no page shares a line with another."""
    return "\n".join(f"{sentence[:-1]}、{number}番。" for sentence in SENTENCES)


def rows_of(run, folder, names="*"):
    return [row for file in sorted((run / folder).glob(f"{names}.parquet")) for row in pq.read_table(file).to_pylist()]
