"""Judge a model: scores with intervals, calibration, baselines, figures, tables."""
