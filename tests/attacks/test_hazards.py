"""Faults 11 to 17 and 24 at once: every hazardous row and file comes out, read or rejected with a reason."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from stancewire.batch import run
from tests.batch_cases import here, rows_of

Models = tuple[Path, Path]
GOOD = {"id": "007", "title": "NA", "text": "The envoys condemned the embargo."}
NO_TEXTS: tuple[object, ...] = (None, 7, ["x"], {}, "", " ", "\u200b")
NO_FIELDS: tuple[dict[str, object], ...] = ({"id": 7}, {"title": 1}, {"countries": "KEN"})
# Each with whether it is read.
ROWS: list[tuple[bytes, bool]] = [
    *(
        (json.dumps(GOOD | change).encode(), True)
        for change in ({}, {"id": "=1"}, {"n": 10**18}, {"date": None})
    ),
    *(
        (json.dumps(GOOD | {"text": text}, ensure_ascii=False).encode(), True)
        for text in ("\u2028 talks \x85 \x0c", "\u200b".join("talks"), "e" + "\u0301" * 80_000, "a" * 300_000)
    ),
    *((json.dumps(GOOD | {"text": bad}).encode(), False) for bad in NO_TEXTS),
    *((json.dumps(GOOD | bad).encode(), False) for bad in NO_FIELDS),
    *(
        (bad, False)
        for bad in (b"[]", b"3", b'"text"', b"null", b"{", b"{}", b"[" * 100_000, b'{"text": NaN}')
    ),
    *(
        (bad, False)
        for bad in (b'{"text": "a", "text": "b"}', b'{"text": "\\ud800"}', b'{"text": "\\u0000"}')
    ),
    *((bad, False) for bad in (b'{"n": ' + b"9" * 5_000 + b"}", b'{"text": "caf\xe9"}', b'{"text": "a\0"}')),
    (b'{"text": "a"}\r{"text": "b"}', False),
]


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    local = "stancewire.batch.engines.local.run_local"
    monkeypatch.setattr(local, lambda shards, work, **_: here(shards, work))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n \t\n\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_every_row_comes_out_once(tmp_path: Path, batch_models: Models, start: bytes, end: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(start + end.join(row for row, _ in ROWS))
    summary = run(tmp_path / "in.jsonl", tmp_path / "out", topics=batch_models[0], shard_rows=5)
    step = end.count(b"\n")
    lines = {
        is_read: [1 + step * n for n, (_, good) in enumerate(ROWS) if good is is_read]
        for is_read in (True, False)
    }
    assert [row["line"] for row in rows_of(tmp_path / "out", "readings")] == lines[True]
    rejects = rows_of(tmp_path / "out", "rejects")
    assert [row["line"] for row in rejects] == lines[False]
    assert all(row["reason"] and row["detail"] for row in rejects)
    assert (summary.rows, summary.read, summary.n_rejected) == (
        len(ROWS),
        len(lines[True]),
        len(lines[False]),
    )
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_every_file_comes_out_once(
    tmp_path: Path, batch_models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    (folder / "below" / "deep").mkdir(parents=True)
    good = {
        "a.txt": b"Envoys met.",
        "below/b.md": "\ufeffTalks\n\nThey met.".encode(),
        "below/deep/\u202ec.TXT": b"Tanks.",
        "=d.txt": b"Shells.",
    }
    bad = {
        "e.txt": b"",
        "f.txt": b" \n",
        "g.txt": b"caf\xe9",
        "h.txt": "a".encode("utf-16"),
        "i.txt": b"a\0b",
        "j.pdf": b"%PDF",
        "k": b"Envoys.",
    }
    for name, data in {**good, **bad}.items():
        (folder / name).write_bytes(data)
    (folder / ".hidden.txt").write_bytes(b"Envoys.")
    os.mkfifo(folder / "l.txt")
    (folder / "m.txt").symlink_to("/dev/zero")
    (folder / "n.txt").symlink_to("nowhere")
    (folder / "loop").symlink_to(folder)
    Path(os.fsdecode(os.fsencode(folder) + b"/o\xff.pdf")).write_bytes(b"x")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("p.txt")
        summary = run(folder, tmp_path / "out", topics=batch_models[0])
    n_bad = len(bad) + len("lmnop") + len(["loop"])
    assert {row["source"] for row in rows_of(tmp_path / "out", "readings")} == set(good)
    rejects = rows_of(tmp_path / "out", "rejects")
    assert {row["source"] for row in rejects} == {
        *bad,
        *("l.txt", "m.txt", "n.txt", "loop", "o\\xff.pdf", "p.txt"),
    }
    assert (summary.rows, summary.read, summary.n_rejected) == (len(good) + n_bad, len(good), n_bad)
    assert all(row["reason"] and row["detail"] for row in rejects)
    reasons = {row["source"]: row["reason"] for row in rejects}
    assert {name: reasons[name] for name in ("j.pdf", "l.txt", "m.txt", "n.txt", "loop")} == {
        "j.pdf": "kind",
        "l.txt": "kind",
        "m.txt": "kind",
        "n.txt": "cannot_be_read",
        "loop": "kind",
    }
