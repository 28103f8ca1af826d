"""Encoders: a transformer as an ONNX graph, run without the framework that trained it.

Texts become sequences (stancewire/encoding.py), sequences of like length become batches (batching.py), an
engine scores them (onnx.py, openvino.py), and the scores of a row's sequences become its probabilities
(pooling.py), with those of the linear model that an artefact may hold too. An answer does not depend on what
else is asked with it, but for the last digits.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stancewire.artefact import Artefact
from stancewire.encoding import TOKENIZER, Encoded, Encoder
from stancewire.errors import ArtefactError, InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.runtime import RawPrediction
from stancewire.runtime.batching import batches, matrices
from stancewire.runtime.choice import choose, open_session
from stancewire.runtime.encoder_model import read_model
from stancewire.runtime.graph import check_graph
from stancewire.runtime.linear import LinearRuntime
from stancewire.runtime.options import RuntimeOptions
from stancewire.runtime.pooling import blend, columns, pool
from stancewire.section import shown

# Tokens of one call of the engine, padding included, by thread and at least: with more, what a layer writes
# no longer fits into the cache that the next one reads from. Figures: docs/runtime.md.
_THREAD_BUDGET, _LEAST_BUDGET = 512, 1024


class EncoderRuntime:
    """Answers with raw probabilities. Safe to call from several threads, of the process that loaded it.

    Args:
        artefact: one of the encoder family.
        options: what to run it with.

    Raises:
        ArtefactError: if its sections, tokenizer or graph do not fit each other.
        MissingExtraError: if an engine that is asked for is not installed.
        StancewireError: if this machine cannot run what is asked for.
    """

    def __init__(self, artefact: Artefact, options: RuntimeOptions) -> None:
        # Tokenising is a few hundredths of the work; its own threads would only warn about forks.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        model = read_model(artefact)
        manifest = artefact.manifest
        self._task = manifest.task
        self._model = model
        self._name = manifest.name
        self._linear = LinearRuntime(artefact, model.linear.section) if model.linear else None
        self._columns = columns(len(manifest.labels), model.pooling)
        self._encoder = Encoder(artefact.read_bytes(TOKENIZER), model.layout)
        self.choice = choose(model, options, str(artefact.path))
        where, graph = str(artefact.path / model.graph), artefact.read_bytes(model.graph)
        self._typed = check_graph(graph, where, n_scores=self._columns, n_tokens=self._encoder.last_token + 1)
        self._session = open_session(self.choice, graph, where, options.thread_count)
        self._budget = max(_LEAST_BUDGET, _THREAD_BUDGET * options.thread_count)
        self._process = os.getpid()
        self._warm_up(where)

    def predict(self, examples: Sequence[Article] | Sequence[StanceExample]) -> RawPrediction:
        """Return one row per example, in input order.

        Raises:
            InputError: if the engine fails on them.
            StancewireError: in a process that was forked after loading.
        """
        if os.getpid() != self._process:
            raise StancewireError(
                f"{self._name}: loaded in another process, whose threads are not here; load it after the fork"
            )
        encoded = self._encoder.encode(examples)
        scores = np.empty((len(encoded.ids), self._columns), dtype=np.float32)
        for chosen in batches(list(map(len, encoded.ids)), self._budget):
            scores[chosen] = self._scores(encoded, chosen)
        probabilities = pool(scores, encoded.rows, self._model.pooling, self._task)
        if self._linear and self._model.linear:
            words = self._linear.predict(examples).probabilities
            probabilities = blend(probabilities, words, self._model.linear.share, self._task)
        return RawPrediction(probabilities, encoded.blank, encoded.cut)

    def _scores(self, encoded: Encoded, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        try:
            return self._run(encoded, chosen)
        except Exception as error:  # the engines' exceptions have no narrower base
            raise InputError(
                f"{self._name}: {self.choice.name} failed on {len(chosen):,} sequences: "
                f"{type(error).__name__}; leave out what is odd, or load with another runtime"
            ) from error

    def _run(self, encoded: Encoded, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        step, longest = self._session.step, max(len(encoded.ids[i]) for i in chosen)
        length = min(-(-longest // step) * step, self._model.layout.tokens)
        inputs = matrices(encoded, chosen, self._model.pad, length)
        if not self._typed:
            del inputs["token_type_ids"]
        return self._session.run(inputs)

    def _warm_up(self, where: str) -> None:
        """Ask once for the longest sequence and the last token: what does not fit shows here, not in use."""
        last, tokens = self._encoder.last_token, self._model.layout.tokens
        if self._model.pad > last:
            raise ArtefactError(
                f"{where}: expected a pad token up to {last:,}, the last of {TOKENIZER}, found "
                f"{self._model.pad:,}; export the model again"
            )
        ids = [[last] * tokens, [self._model.pad]]
        probe = Encoded(ids, [tokens // 2, 1], np.arange(2), np.zeros(2, np.float32), np.zeros(2, np.bool_))
        try:
            found = self._run(probe, np.arange(2))
        except Exception as error:  # as above
            raise ArtefactError(
                f"{where}: {self.choice.name} cannot run it on {tokens:,} tokens and token {last:,}: "
                f"{shown(str(error), limit=300)}; export the model again"
            ) from None
        if found.dtype != np.float32 or found.shape != (2, self._columns):
            raise ArtefactError(
                f"{where}: expected scores float32 [2, {self._columns}], found {found.dtype} "
                f"{list(found.shape)}; export the model again"
            )
