"""How a server ends: told to, with a request under way, or shot; and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import Trained
from tests.integration.processes import children, parent_of
from tests.integration.server import Server
from tests.integration.test_serving_http import SHELLS


def until_gone(pids: list[int]) -> list[int]:
    """Wait for processes to end, and return those that did not."""
    deadline = time.monotonic() + 30
    while (left := [pid for pid in pids if parent_of(pid) is not None]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_lets_a_request_finish_and_leaves_nothing(
    trained: Trained, tmp_path: Path, workers: int
) -> None:
    environment = {**trained.environment, "TMPDIR": str(tmp_path)}
    arguments = [str(trained.topics), "--workers", str(workers), "--max-rows", "1500"]
    with Server.stancewire(*arguments, environment=environment) as server:
        assert list(tmp_path.iterdir()), "the model's folder is temporary"
        processes = [server.pid, *children(server.pid)]
        assert len(processes) == (1 if workers == 1 else 3)
        rows = [{"text": f"{SHELLS} {number}"} for number in range(1500)]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(server.post, {"inputs": rows})
            time.sleep(0.2)
            os.kill(server.pid, signal.SIGTERM)
            answer = waiting.result()
        assert (answer.status, len(answer.rows)) == (200, 4500)
        assert server.wait() == 0
        assert until_gone(processes) == []
        assert list(tmp_path.iterdir()) == []
        assert "Traceback" not in server.log()
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", server.port))


def test_workers_end_with_a_server_that_is_shot(trained: Trained) -> None:
    arguments = [str(trained.topics), "--workers", "2"]
    with Server.stancewire(*arguments, environment=trained.environment) as server:
        workers = children(server.pid)
        assert len(workers) == 2
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        assert until_gone(workers) == []
