"""What the benchmark of the batch job makes of its measures."""

from __future__ import annotations

import pytest

from benchmarks.batch import line_through


def test_what_a_job_costs_once_and_for_each_article() -> None:
    once, each = line_through([10_000, 1_000, 4_000], [5.9, 1.4, 9.0])
    assert once == pytest.approx(0.9)
    assert each == pytest.approx(0.0005)
