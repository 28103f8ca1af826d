"""A sweep that is taken up again must be the same one: scores of another would be no match for its trials."""

from __future__ import annotations

import json
from typing import Any

from optuna.study import Study

from stancewire.errors import InputError
from training.prepare import Prepared
from training.provenance import digest_of
from training.record import parts_of
from training.tracking import flatten
from training.tuning.load import Sweep

_NAME = "stancewire"
# Settings that change nothing of what a trial scores; the rows' digest stands for `data`.
_APART = {"name", "output", "data", "evaluation", "tracking"}
_CHARS = 60


def digest_of_rows(prepared: Prepared) -> str:
    """Return a sha256 over the rows of every part, with their labels and in order."""
    return digest_of(part["sha256"] for part in parts_of(prepared).values())


def check_same(study: Study, sweep: Sweep, digest: str) -> None:
    """Note in a new study what its scores depend on; hold an old one to what was noted.

    Raises:
        InputError: naming everything that differs.
    """
    now = {
        "data": digest,
        "settings": sweep.config.model_dump(mode="json", exclude=_APART),
        "tune": sweep.tune.model_dump(mode="json", include={"metric", "folds", "pruner"}),
        "space": {
            path: f"{drawn.kind}: {json.dumps(drawn.values)}" for path, drawn in sweep.tune.space.items()
        },
    }
    before = study.user_attrs.get(_NAME)
    if before is None:
        if study.get_trials(deepcopy=False):
            raise InputError(
                f"{sweep.storage}: holds trials of another program under {study.study_name!r}; "
                "name another file in tune.storage"
            )
        study.set_user_attr(_NAME, now)
        return
    if differing := list(_differences(before, now)):
        raise InputError(
            "\n".join(
                [
                    f"{sweep.storage}: holds another sweep; wanted the same one to go on with, found",
                    *differing,
                    "  take back what differs, or name another file in tune.storage to begin anew",
                ]
            )
        )


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    flat_before, flat_now = _flat(before), _flat(now)
    return [
        f"  {name}: then {_shown(flat_before.get(name))}, now {_shown(flat_now.get(name))}"
        for name in sorted(flat_before.keys() | flat_now.keys())
        if flat_before.get(name) != flat_now.get(name)
    ]


def _flat(noted: dict[str, Any]) -> dict[str, str]:
    """Return one text for each thing that may differ, named as in the config."""
    tune = {f"tune.{name}": value for name, value in noted["tune"].items()}
    space = {f"tune.space.{path}": value for path, value in noted["space"].items()}
    rows = {"data (sha256 of the rows)": noted["data"]}
    together = rows | flatten(noted["settings"]) | tune
    return {name: json.dumps(value) for name, value in together.items()} | space


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value if len(value) <= _CHARS else f"{value[: _CHARS - 1]}…"
