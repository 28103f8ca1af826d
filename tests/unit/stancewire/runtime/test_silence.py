"""No engine phones home: each would report itself over the network as soon as it is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.encoders import tiny_encoder

ROOT = Path(__file__).resolve().parents[4]
# Runs in a process of its own: what is imported once stays imported, and audit hooks too.
CODE = """
import json, sys, threading
opened = []
hook = lambda event, args: opened.append(event) if event.startswith(("socket.", "urllib.")) else None
sys.addaudithook(hook)
import stancewire
from stancewire.examples import StanceExample
stance = stancewire.load({path!r}, runtime={runtime!r}, threads=1)
stance.predict([StanceExample(sentence="they signed", target="talks")])
for thread in threading.enumerate():
    if thread is not threading.main_thread() and not thread.daemon:
        thread.join(10)
import openvino_telemetry  # the package itself is there, and was not touched
loaded = [name for name in ("openvino", "onnxruntime", "torch", "onnx") if name in sys.modules]
print(json.dumps([opened, loaded]))
"""


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_no_engine_opens_a_socket(tmp_path: Path, runtime: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    tiny_encoder(tmp_path, "stance")
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", CODE.format(path=str(tmp_path / "tiny-stance"), runtime=runtime)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"HOME": str(home), "PATH": ""},  # without CI: there OpenVINO is silent anyway
    )
    assert done.returncode == 0, done.stderr
    opened, loaded = json.loads(done.stdout)
    assert opened == []
    assert loaded == [runtime]
    assert list(home.iterdir()) == [], "an identifier of the user is what both leave behind when they report"
