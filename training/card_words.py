"""What a model card says in words of our own."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Of data/articles.jsonl, as its data card has it.
BUNDLED_SHA256 = "7734fd548afb58ee23263ece61f45bb0ff2299bc945584313fde5730f89df1ce"
VERSION = re.compile(r"[0-9A-Za-z.+!-]{1,40}")

TASKS: Mapping[str, str] = {"topics": "topics of news articles", "stance": "stance of news sentences"}
UNITS: Mapping[str, str] = {"topics": "articles", "stance": "sentences"}
TAGS: Mapping[str, tuple[str, ...]] = {
    "topics": ("topic-classification", "multi-label"),
    "stance": ("stance-detection", "targeted-stance"),
}
WHAT: Mapping[str, str] = {
    "topics": "Which topics an English news article on international security is about: several may hold, or "
    "none.",
    "stance": "How a holder stands toward a target in an English news sentence, or the sentence as a whole "
    "where no holder is named: exactly one label holds.",
}
SYNTHETIC = (
    "Trained and judged on a synthetic corpus whose events are invented. Its scores show that the pipeline "
    "works, not how the model does on real news."
)
MEANT_FOR: Mapping[str, str] = {
    "topics": "Meant for sorting, filtering and counting news by topic, where a person reads what matters.",
    "stance": "Meant for finding and counting who stands how toward what in news, where a person reads what "
    "matters.",
}
NOT_FOR = (
    "Not meant for decisions about people, for telling true news from false, or as a source for what a "
    "state, an institution or a person did or thinks."
)
BUNDLED_LIMITS: Mapping[str, tuple[str, ...]] = {
    "topics": (
        "Label some hundred articles of your own and judge it on them before you trust a figure.",
        "Topics are far more frequent in its data than in a news stream, where precision will be lower.",
    ),
    "stance": ("Label some hundred sentences of your own and judge it on them before you trust a figure.",),
}
LIMITS: Mapping[str, tuple[str, ...]] = {
    "topics": (
        "English only.",
        "Articles unlike those below, in outlet, period or kind, may be read worse than the scores tell.",
    ),
    "stance": (
        "English only.",
        "It reads one sentence with the one before, and nothing else of the article.",
        "Stance follows the codebook below; other schools decide otherwise.",
    ),
}
FAMILY_LIMITS: Mapping[str, tuple[str, ...]] = {
    "linear": (
        "It weighs words and short phrases and knows no syntax: irony, long negations and who does what to "
        "whom pass it by.",
    )
}
LOADING = (
    "With stancewire installed (it needs numpy, and neither torch nor pickle), from the folder of the "
    "artefact or its address in an MLflow registry:"
)
CODE: Mapping[str, str] = {
    "topics": """import stancewire

predictor = stancewire.load("{name}")
(answer,) = predictor.predict([stancewire.Article(text="The envoys met to negotiate the sale of shells.")])
print(answer.labels, [(score.label, score.probability) for score in answer.scores])""",
    "stance": """import stancewire

predictor = stancewire.load("{name}")
asked = stancewire.StanceExample(sentence="Seoul condemned the sale.", target="the sale", holder="Seoul")
(answer,) = predictor.predict([asked])
print(answer.label, answer.probability)""",
}
COMMANDS = "`stancewire inspect FOLDER` prints its digest and manifest, `--card` this card."
DECIDING: Mapping[str, str] = {
    "topics": "A topic is decided where its calibrated probability reaches its threshold.",
    "stance": "The stance is decided whose calibrated probability divided by its threshold is largest.",
}
SLICES = (
    "In the order of the upper ends of their intervals: what is bad even at its best comes first. Of many "
    "slices some look bad by chance: take one as a question to ask."
)
BEHAVIOUR = "How often the model fails on cases that were written to test one ability each."
LICENCE: Mapping[bool, str] = {
    True: "- Licence: Apache-2.0, as code and corpus are",
    False: "- Licence: not told; whoever passes the model on says what the licence of its data allows",
}
MANIFEST = "- Everything else, the whole config included, stands in `manifest.json` beside this card."
CITING = "Cite the software, and name the model by its digest, which `stancewire inspect` prints:"
BIBTEX = """@software{{stancewire,
  author = {{{{The stancewire authors}}}},
  title = {{stancewire: topics, stances and holders in international-security news}},
  version = {{{version}}},
  note = {{Model {name}}}
}}"""
