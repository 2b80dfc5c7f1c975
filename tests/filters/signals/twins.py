"""The signals of Swallow as one writes them down first, in plain Python: what the kernels are held to, and measured against."""

import gzip
import json
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
LARGER = ROOT.parent / "shared" / "data" / "pack"  # more pages of the same kind, where they lie beside the repository


def shared_pages():
    """The texts of all labelled pages there are, each once: of samples/, and of the larger set where it lies beside the repository."""
    texts = []
    for folder in filter(Path.is_dir, (ROOT / "samples", LARGER)):
        with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts += [json.loads(line).get("gold_text") for line in lines]
    return list(dict.fromkeys(text for text in texts if text))


def share(part, whole):
    return part / whole if whole else 0.0


def sentences_of(paragraph):
    for run, end in re.findall(
        r"((?:[^。．！？!?]|(?<=[0-9０-９])[．！？!?](?=[0-9０-９]))*)([。．！？!?]?)", paragraph, re.DOTALL
    ):
        if run.strip():
            yield (run + end).strip()


def twin(text):
    """The signals of the family `swallow`."""
    hiragana = len(re.findall(r"[ぁ-ゖゝ-ゟ\U0001b001-\U0001b11f\U0001b132\U0001b150-\U0001b152]", text))
    katakana = len(re.findall(r"[ァ-ヺー-ヿㇰ-ㇿｦ-ﾟ\U0001b000\U0001b120-\U0001b122\U0001b155\U0001b164-\U0001b167]", text))
    kanji = len(re.findall(r"[々〇〻㐀-鿿\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd]", text))
    letters = sum(c not in "\n\r" for c in text)
    japanese = hiragana + katakana + kanji + len(re.findall("[。．！？、，]", text))
    paragraphs = [line.strip() for line in re.split(r"[\n\r]", text) if line.strip()]
    sentences = [sentence for paragraph in paragraphs for sentence in sentences_of(paragraph)]
    lengths = [len(sentence) for sentence in sentences]
    signals = {
        "letters": letters,
        "japanese_letters": japanese,
        "hiragana_share": share(hiragana, japanese),
        "katakana_share": share(katakana, japanese),
        "japanese_share": share(japanese, letters),
        "paragraphs": len(paragraphs),
        "sentences": len(sentences),
        "mean_sentence_letters": share(sum(lengths), len(lengths)),
        "longest_sentence_letters": max(lengths, default=0),
        "ellipsis_share": share(sum(s[-1] in "・…" for s in sentences), len(sentences)),
    }
    for kind, parts in (("paragraph", paragraphs), ("sentence", sentences)):
        signals |= repeats(kind, parts)
    for n in range(2, 11):
        grams = Counter(p[i : i + n] for p in paragraphs for i in range(len(p) - n + 1))
        if n <= 4:
            signals[f"top_{n}gram_share"] = share(max(grams.values(), default=0), grams.total())
        else:
            twice = sum(times for times in grams.values() if times > 1)
            signals[f"duplicate_{n}gram_share"] = share(twice, grams.total())
    return signals


def repeats(kind, parts):
    counts = Counter(parts)
    again = sum((n - 1) * len(part) for part, n in counts.items())
    return {f"repeated_{kind}_share": share(len(parts) - len(counts), len(parts)),
            f"repeated_{kind}_letter_share": share(again, sum(map(len, parts)))}  # fmt: skip


def released_sentences(line):
    sentence = ""
    for letter in line:
        if letter not in "。．！？!?":
            sentence += letter
        elif sentence:
            yield sentence + letter
            sentence = ""
    if sentence:
        yield sentence


def twin_v1(text):
    """The signals of the family `swallow_v1`."""
    hiragana = sum("ぁ" <= c <= "ゖ" for c in text)
    katakana = sum("ァ" <= c <= "ヺ" for c in text)
    kanji = sum(c in "々〇〻" or "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" for c in text)
    japanese = hiragana + katakana + kanji + sum(map(text.count, "、，。．！？"))
    lines = [list(released_sentences(line)) for line in text.split("\n")]
    sentences = [sentence for line in lines for sentence in line]
    signals = {
        "letters": len(text),
        "japanese_letters": japanese,
        "hiragana_share": share(hiragana, japanese),
        "katakana_share": share(katakana, japanese),
        "japanese_share": share(japanese, len(text)),
        "paragraphs": len(lines),
        "sentences": len(sentences),
        "mean_sentence_letters": share(sum(map(len, sentences)), len(sentences)),
        "longest_sentence_letters": max(map(len, sentences), default=0),
        "ellipsis_share": share(sum(s.strip().endswith(("・", "…")) for s in sentences), len(sentences)),
        **repeats("paragraph", ["".join(line) for line in lines]),
        **repeats("sentence", sentences),
    }
    for n in range(2, 11):
        grams = Counter(text[i : i + n] for i in range(len(text) - n + 1))
        if n <= 4:
            signals[f"top_{n}gram_share"] = share(max(grams.values(), default=0), max(0, len(text) - n + 1))
        else:
            signals[f"duplicate_{n}gram_share"] = share(sum(times > 1 for times in grams.values()), len(grams))
    return {f"v1_{name}": value for name, value in signals.items()}
