# Two commands set everything up on a bare machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run run-encoder train ui test check clean

run: train  ## train both classifiers on the bundled corpus and read a sample article
	$(BIN)/stancewire read data/samples/shells.txt

train: $(VENV)/.train
	$(BIN)/python -m training.run configs/topics-linear.yaml configs/stance-linear.yaml

run-encoder: $(VENV)/.encoder  ## fine-tune a transformer for both tasks, beside the linear family, and read with it
	$(BIN)/python -m training.run configs/topics-encoder.yaml configs/stance-encoder.yaml
	$(BIN)/stancewire read data/samples/shells.txt

ui: $(VENV)/.train  ## the MLflow pages of these runs, on http://127.0.0.1:5000
	MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --workers 1 --host 127.0.0.1

test: check  ## everything: style, types, tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove the environment and what runs left behind
	rm -rf $(VENV) build dist *.egg-info mlflow.db* mlruns artefacts .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: pyproject.toml | $(VENV)/bin/python
	$(PIP) --editable '.[train]'
	touch $@

$(VENV)/.encoder: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --constraint constraints.txt --editable '.[train,encoder,openvino]'
	touch $@ $(VENV)/.train

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --constraint constraints.txt --editable '.[train,encoder,batch,serve,spark,openvino,dev]'
	touch $@ $(VENV)/.train $(VENV)/.encoder
