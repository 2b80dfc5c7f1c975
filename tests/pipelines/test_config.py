"""A config that cannot be used ends with 2 and one line that says where and what was meant."""

from pathlib import Path

import pytest
from commandline import ROOT, seiryu, write_config

from seiryu.pipelines.commands.checks import checked
from seiryu.pipelines.config_file import ConfigError, load_config
from seiryu.pipelines.facts.rows import facts_schema
from seiryu.pipelines.rules_in_force import least_letters, rules_in_force

GOOD = """\
run: runs/x
source:
  kind: files
  paths: [samples/*.warc.gz]
"""


def fails(tmp_path: Path, text: str, *changes: str) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(str(path), changes)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(path), "c.yaml")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("extract:\n  extracter: trafilatura\n", 'c.yaml:6: extract.extracter: unknown key; did you mean "extractor"?'),
        ("tokenise: {}\n", 'c.yaml:5: tokenise: unknown key; did you mean "tokenize"?'),
        ("dedup:\n  bands: many\n", 'c.yaml:6: dedup.bands: "many": input should be a valid integer'),
        ("dedup:\n  bands: '40'\n", 'c.yaml:6: dedup.bands: "40": input should be a valid integer'),
        ("dedup:\n  bands: 40\n", 'c.yaml:5: dedup: {"bands": 40}: bands and rows go together: give both or none'),
        ("dedup: {rows: 20}\n", 'c.yaml:5: dedup: {"rows": 20}: bands and rows go together: give both or none'),
        (
            "dedup:\n  priority: best_score\n",
            'c.yaml:5: dedup: {"priority": "best_score"}: priority best_score needs a signal in `score`',
        ),
        ("dedup: {score: letters}\n", 'c.yaml:5: dedup: {"score": "letters"}: priority best_score needs a signal in `score`'),
        (
            "dedup: {preset: threshold, threshold: 0}\n",
            'c.yaml:5: dedup: {"preset": "threshold", "threshold": 0}: preset threshold needs a threshold between 0 and 1, not 0',
        ),
        (
            "dedup: {preset: threshold, threshold: 1}\n",
            'c.yaml:5: dedup: {"preset": "threshold", "threshold": 1}: preset threshold needs a threshold between 0 and 1, not 1',
        ),
        (
            "dedup: {preset: threshold, permutations: 2}\n",
            'c.yaml:5: dedup: {"preset": "threshold", "permutations": 2}: no cut of at most 2 values fits threshold 0.8: lower it',
        ),
        ("dedup: {memory: 9M}\n", "c.yaml:5: dedup.memory: 9000000: input should be greater than or equal to 10000000"),
        ("dedup:\n  bands: 0\n", "c.yaml:6: dedup.bands: 0: input should be greater than or equal to 1"),
        (
            "extract:\n  extractor: resiliparse\n  quick_screen: true\n",
            'c.yaml:5: extract: {"extractor": "resiliparse", "quick_screen": true}: quick_screen spares',
        ),
        ("engine:\n  page_seconds: .inf\n", "c.yaml:6: engine.page_seconds:"),
        ("engine:\n  page_memory: 100MB\n", "c.yaml:6: engine.page_memory:"),
        ("language:\n  min_score: 1.5\n", "c.yaml:6: language.min_score: 1.5: input should be less than or equal to 1"),
        (
            "extract:\n  max_page: 20 apples\n",
            'c.yaml:6: extract.max_page: "20 apples": a size such as 500, 20MB or 1.5GiB is wanted',
        ),
        (
            "rules:\n  change:\n    few_hiragana: {lo: 1}\n",
            'c.yaml:7: rules.change.few_hiragana.lo: unknown key; did you mean "low"?',
        ),
        (
            "clean:\n  repeated_lines: {min_page: 1}\n",
            'c.yaml:6: clean.repeated_lines.min_page: unknown key; did you mean "min_pages"?',
        ),
        ("rules: swallow\n", "c.yaml:5: rules: a mapping with preset, change is wanted, not a text"),
        ("run: [\n", "c.yaml:6: not YAML"),
        ("rules: {preset: swallow}\nrules: {preset: swallow-v1}\n", "c.yaml:6: 'rules' stands there twice"),
        ("rules: &r\n  change: *r\n", "c.yaml:5: an alias stands for what it lies in"),
        ("rules: " + "[" * 210 + "]" * 210, "c.yaml:5: nested too deep"),
        ("rules: 2024-99-99\n", "c.yaml:5: '2024-99-99' cannot be read as timestamp"),
        ("2024-01-01: x\n", "c.yaml: keys must be str, int, float, bool or None, not datetime.date"),
        ("tokenize: &t\n  seed: a\nclean:\n  <<: *t\n  seed: b\n", "c.yaml:9: clean.seed: unknown key"),
    ],
)
def test_one_line_says_where_and_what_was_meant(more: str, message: str, tmp_path: Path) -> None:
    assert fails(tmp_path, GOOD + more).startswith(message)


def test_a_file_that_python_itself_cannot_descend_into_is_one_line(tmp_path: Path) -> None:
    assert fails(tmp_path, GOOD + "rules: " + "[" * 9000 + "]" * 9000).endswith("nested too deep")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert fails(tmp_path, "run: x\n") == "c.yaml: source: is missing"
    assert fails(tmp_path, "- a\n") == "c.yaml: a mapping with run, source, ... is wanted, not a list"


def test_a_change_on_the_command_line_is_told_from_the_file(tmp_path: Path) -> None:
    assert fails(tmp_path, GOOD, "dedup.bands=x") == 'c.yaml: dedup.bands: "x": input should be a valid integer'
    assert fails(tmp_path, GOOD, "dedup.bands") == "--set dedup.bands: a.b=value is wanted"
    assert fails(tmp_path, GOOD, "run.x=1") == "--set run.x=1: run is a text, it has no x"
    for value, why in (("{low: 1, low: 2}", "'low' stands there twice"), ("&a [*a]", "an alias stands for what it lies in"),
                       ("[", "not YAML: expected the node content, but found '<stream end>'")):  # fmt: skip
        assert fails(tmp_path, GOOD, f"rules.change.few_hiragana={value}") == f"--set rules.change.few_hiragana={value}: {why}"
    assert load_config(str(tmp_path / "c.yaml"), ["source.paths=[a,b]", "extract.max_page=2MB"]).source.paths == ("a", "b")


def test_a_change_moves_one_of_two_places_that_an_alias_makes_alike(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD + "rules: &r\n  change:\n    few_hiragana: {low: 0.3}\nextract:\n  counts_on: *r\n")
    config = load_config(str(path), ["rules.change.few_hiragana.low=0.4"])
    lows = [section.change["few_hiragana"].low for section in (config.rules, config.extract.counts_on)]  # type: ignore[union-attr]
    assert lows == [0.4, 0.3]


@pytest.mark.parametrize("low", ["9" * 38, "1" + "0" * 400, ".inf"])
def test_limits_beyond_all_measure_are_refused_at_once(tmp_path: Path, low: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    with pytest.raises(ConfigError, match=r"rules\.change: rule 'few_hiragana': low must"):
        rules_in_force(load_config(str(path), [f"rules.change.few_hiragana.low={low}"]))


@pytest.mark.parametrize(
    ("letters", "share", "least"),
    [(400, 0.2, (400, 80)), (400, 1, (400, 400)), (7, 0.3, (7, 3)), (400, 999_999_999_999_999.8, (400, 800)),
     (1e15, 999_999_999_999_999.8, (10**15, 2 * 10**15)), (1e15, 0.3, (10**15, 3 * 10**14)), (-5, -1e15, (0, 0))],
)  # fmt: skip
def test_what_extraction_counts_on_is_reckoned_at_once_for_every_limit(
    tmp_path: Path, letters: float, share: float, least: tuple[int, int]
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    counts_on = "extract.counts_on.change."
    assert (
        least_letters(
            load_config(str(path), [f"{counts_on}few_japanese_letters.low={letters:.1f}", f"{counts_on}few_hiragana.low={share}"])
        )
        == least
    )


def test_sizes_are_read_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    sizes = {"500": 500, "20MB": 20_000_000, "1.5GiB": 1_610_612_736, "2 K": 2000}
    for text, size in sizes.items():
        assert load_config(str(path), [f"extract.max_page={text}"]).extract.max_page == size


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "configs").glob("*.yaml")))
def test_every_config_of_the_repository_can_be_loaded(name: str) -> None:
    assert load_config(str(ROOT / "configs" / name)).run


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("rules.preset=swalow", "swallow"),
        ("rules.preset=nowhere/rules.yaml", "nowhere/rules.yaml"),
        ("rules.change.few_hiragna.low=0.1", "few_hiragana"),
        ("rules.change.few_hiragana={low: 0.5, high: 0.1}", "few_hiragana"),
        ("signals.lists.ng=[nowhere.txt]", "nowhere.txt"),
        ("signals.lists.ng=[hojichar:adult_keywords_jp]", "adult_keywords_ja"),
        ("signals.classifiers.edu={model: nowhere.bin}", "nowhere.bin"),
        (
            "signals.classifiers.doc_id={model: m.bin}",
            "signals.classifiers.doc_id: the table of all that is known of a document has a column doc_id already",
        ),
        ("signals.classifiers.letters={model: m.bin}", "there is a signal letters already"),
        ("signals.lists.v1=['seiryu:dating_sites']", "there is a signal v1_letters already"),
        ("signals.lists={'../x': ['seiryu:dating_sites']}", "signals.lists.../x"),
        ("rules.change.near_duplicate={signal: letters, low: 1}", "documents are counted under this name elsewhere"),
        ("signals.lists.ng=null", "a word list ng in signals.lists would give it"),
        ("dedup={priority: best_score, score: edu}", "dedup.score: no signal edu is measured; there are letters, "),
        ("dedup.against=[nowhere]", "dedup.against: nowhere holds no run: run.json is not there"),
        ("hosts.block=[co.jp]", "co.jp"),
        ("hosts.ut1=nowhere", "nowhere"),
        ("hosts.max_share={dates: 0.1}", "dating"),
        ("source.paths=[nowhere/*.warc.gz]", "nowhere/*.warc.gz"),
        ("tokenize.tokenizer=nowhere.model", "nowhere.model"),
    ],
)
def test_what_a_config_names_and_is_not_there_ends_with_2_before_anything_starts(
    change: str, message: str, tmp_path: Path
) -> None:
    config = write_config(tmp_path, ROOT / "samples")
    ended = seiryu("run", config, "--set", change)
    assert ended.code == 2, ended.err
    assert message in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_what_is_measured_is_not_called_like_another_column_of_the_facts(tmp_path: Path) -> None:
    columns = facts_schema(()).names
    assert {"doc_id", "url", "host", "fate", "verdict", "cluster", "final_letters"} <= set(columns)
    for column in columns:
        config = write_config(tmp_path, ROOT / "samples", signals={"classifiers": {column: {"model": "m.bin"}}})
        with pytest.raises(ConfigError, match=rf":1: signals\.classifiers\.{column}: .* has a column {column} already; choose"):
            checked(str(config), ())
    config = write_config(tmp_path, ROOT / "samples", signals={"lists": {"final": ["seiryu:dating_sites"]}})
    with pytest.raises(
        ConfigError, match=r":1: signals\.lists\.final: .* has a column final_letters already; choose another name$"
    ):
        checked(str(config), ())
    other = "signals.lists={final: null, finally: ['seiryu:dating_sites']}"
    assert "finally" in checked(str(config), [other]).signals.word_lists


def test_a_run_is_not_made_against_itself_nor_against_another_twice(tmp_path: Path) -> None:
    config = write_config(tmp_path, ROOT / "samples")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    for spelling in (tmp_path / "run", tmp_path / "other" / ".." / "run", f"{tmp_path}/run/", tmp_path / "link"):
        ended = seiryu("plan", config, "--set", f"dedup.against=[{spelling}]")
        assert (ended.code, ended.err) == (
            2,
            f"seiryu: dedup.against: {spelling} is the directory of this run, which holds nothing earlier; leave it out\n",
        )
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "run.json").write_text("{}")
    ended = seiryu("plan", config, "--set", f"dedup.against=[{earlier}, {tmp_path}/./earlier/]")
    assert (ended.code, ended.err) == (2, f"seiryu: dedup.against: names a run twice: {earlier} and {tmp_path}/./earlier/\n")


def test_a_default_word_list_goes_with_the_rule_that_asks_for_it(tmp_path: Path) -> None:
    config = write_config(tmp_path, ROOT / "samples")
    gone = ("--set", "signals.lists.ng=null", "--set", "rules.change.ng_words=null")
    ended = seiryu("plan", config, *gone)
    assert (ended.code, "signals.lists has no word list 'ng'" in ended.err) == (2, True)
    config = write_config(tmp_path, ROOT / "samples", hosts={"max_share": {"dating": 0.1}})
    ended = seiryu("plan", config, *gone)
    assert ended.code == 0, ended.err


def test_a_config_that_is_not_there_and_a_wrong_command_end_with_2() -> None:
    ended = seiryu("run", "nowhere.yaml")
    assert (ended.code, ended.err) == (2, "seiryu: nowhere.yaml: No such file or directory\n")
    assert seiryu("rnu", "x").code == 2
    assert seiryu("run").code == 2
    assert (
        "no such stage; known: index, choose, ranges, extract"
        in seiryu("run", ROOT / "configs/sample.yaml", "--until", "nowhere").err
    )


def test_help_is_there_at_once_because_it_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, seiryu.pipelines.cli; print(sorted({'ray','pyarrow','numba','trafilatura','tiktoken'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert "verify" in seiryu("--help").out


def test_own_word_lists_stand_beside_the_defaults_and_null_drops_one(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD + "signals:\n  lists:\n    ours: [own.txt]\n    dating: null\n")
    config = load_config(str(path))
    assert config.signals.word_lists == {"ng": ("hojichar:adult_keywords_ja",), "ours": ("own.txt",)}
    assert type(config).model_validate_json(config.model_dump_json()) == config
