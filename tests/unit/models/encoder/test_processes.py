"""Two processes learn what one learns, but for the last digits."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from models.encoder.config import EncoderConfig
from models.encoder.family import EncoderFamily
from tests.unit.models.backbones import quick, shared_backbone
from tests.unit.models.rows import stance_rows

PROGRAM = """
import sys
import numpy as np
from models.encoder.config import EncoderConfig
from models.encoder.family import EncoderFamily
from tests.unit.models.rows import stance_rows
rows = stance_rows()
settings = eval(sys.argv[1])
model = EncoderFamily(EncoderConfig.model_validate(settings), seed=1).fit(rows, rows)
np.save(sys.argv[2], model.predict_probabilities(rows.examples))
"""


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    # Nine rows a step: the shares of the two differ, and of the last step's only rows one has none.
    settings = quick(epochs=2, batch_size=59, backbone=str(shared_backbone()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = []
    for rank in ("0", "1"):
        places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        environment = os.environ | places | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [sys.executable, "-c", PROGRAM, repr(settings), str(tmp_path / rank)]
        root = Path(__file__).parents[4]
        started.append(
            subprocess.Popen(  # noqa: S603 - the command is ours
                command, env=environment, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        )
    for process in started:
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, told.decode()
    rows = stance_rows()
    alone = EncoderFamily(EncoderConfig.model_validate(settings), seed=1).fit(rows, rows)
    wanted = alone.predict_probabilities(rows.examples)
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, wanted, atol=1e-4)
    assert np.ptp(wanted[:, 0]) > 1e-3
