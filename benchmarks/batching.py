"""What the window and the size of a batch cost an encoder: the figures behind docs/runtime.md.

Run `python -m benchmarks.batching`. First the tokens that padding adds to the bundled corpus' questions, by
rows of a window; then the tokens per second of MiniLM in each engine, by tokens of a batch, one thread,
processor time.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.speed import CORPUS
from benchmarks.speed_models import backbone, make_artefact, make_checkpoint, quiet
from benchmarks.told import end_with
from stancewire.artefact import Artefact
from stancewire.encoding import TOKENIZER, Encoder, Layout
from stancewire.errors import StancewireError
from stancewire.examples import StanceExample
from stancewire.runtime.batching import batches
from stancewire.runtime.choice import open_session, runs_here
from stancewire.runtime.encoder_model import CHOICES

WINDOWS = (64, 256, 1024, 4096)
BUDGET, STEP = 1024, 4
BATCHES = (256, 512, 1024, 2048, 4096)
LENGTHS = (32, 128, 256)
_TURNS = 5


def padding(encoder: Encoder) -> None:
    """Print the share of tokens that padding adds, by window."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    asked = [
        StanceExample(sentence=one["sentence"], target=one["target"], context=row["title"])
        for row in rows
        for one in row["stances"]
    ]
    lengths = [len(ids) for ids in encoder.encode(asked).ids]
    print(f"{len(lengths):,} questions of {np.mean(lengths):.0f} tokens; padding by rows of a window")
    for window in WINDOWS:
        padded = 0
        for start in range(0, len(lengths), window):
            sizes = lengths[start : start + window]
            longest = [(len(chosen), max(sizes[i] for i in chosen)) for chosen in batches(sizes, BUDGET)]
            padded += sum(rows * -(-length // STEP) * STEP for rows, length in longest)
        print(f"  {window:6,}  {padded / sum(lengths) - 1:6.1%}")


def speed(artefact: Artefact) -> None:
    """Print the tokens per second of every engine, by length and by tokens of a batch."""
    numbers = np.random.default_rng(0)
    graph = artefact.read_bytes("model.onnx")
    for choice in CHOICES:
        if choice.variant == "int8" or not runs_here(choice):
            continue
        session = open_session(choice, graph, "model.onnx", 1)
        print(f"\n{choice.name}: tokens per second, by tokens of a batch")
        print("  length  " + "".join(f"{size:>8,}" for size in BATCHES))
        for length in LENGTHS:
            cells = []
            for size in BATCHES:
                ids = numbers.integers(1000, 20000, (max(1, size // length), length))
                inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
                inputs["token_type_ids"] = np.zeros_like(ids)
                session.run(inputs)
                times = []
                for _ in range(_TURNS):
                    start = time.process_time()
                    session.run(inputs)
                    times.append(time.process_time() - start)
                cells.append(f"{ids.size / min(times):8,.0f}")
            print(f"  {length:6}  {''.join(cells)}")


def main() -> None:
    """Measure and print."""
    quiet()
    with TemporaryDirectory(prefix="stancewire-batching-") as name:
        folder = Path(name)
        layout = Layout(task="stance", tokens=128)
        padding(Encoder((backbone() / TOKENIZER).read_bytes(), layout))
        try:
            speed(make_artefact(make_checkpoint(folder / "checkpoint"), folder / "stance", "stance"))
        except StancewireError as error:
            raise SystemExit(str(error)) from None


if __name__ == "__main__":
    raise SystemExit(end_with(main))
