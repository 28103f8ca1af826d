"""What a run tells at its end."""

from __future__ import annotations

import pytest

from training.present import ui_hint


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        (None, "make ui, then http://127.0.0.1:5000"),
        ("http://host:5000", "http://host:5000"),
        ("https://user:secret@host", "https://***@host"),
        ("sqlite:///a b.db", "mlflow ui --backend-store-uri 'sqlite:///a b.db', then http://127.0.0.1:5000"),
        (
            "postgresql://user:secret@host/runs",
            'mlflow ui --backend-store-uri "$MLFLOW_TRACKING_URI", then http://127.0.0.1:5000',
        ),
    ],
)
def test_the_way_to_the_pages_holds_no_password(
    monkeypatch: pytest.MonkeyPatch, uri: str | None, hint: str
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert ui_hint() == hint
