"""Which processes a server has, as /proc tells."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    """The worker processes of a server, in the order they were started."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and parent_of(int(folder.name)) == pid:
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if b"spawn_main" in command:
                found.append(int(folder.name))
    return sorted(found)


def parent_of(pid: int) -> int | None:
    """The parent of a living process; None for one that is gone, or waits for its burial."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[:2]
    except (OSError, IndexError):
        return None
    return None if state == "Z" else int(parent)


def is_alive(pid: int) -> bool:
    """Whether a process is there and waits for no burial."""
    return parent_of(pid) is not None
