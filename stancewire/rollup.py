"""From the stances of sentences to the stance of an article: counts, net stance, verdict, evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stancewire.holders import Holder

FAVOR, AGAINST, NEUTRAL, UNRELATED = "favor", "against", "neutral", "unrelated"
Verdict = Literal["favor", "against", "divided", "neutral", "no_evidence"]

# A side wins when it has at least twice as many sentences as the other: (2 - 1) / (2 + 1).
_CLEAR = 1 / 3
_DECIDING = 3


@dataclass(frozen=True, slots=True)
class SentenceStance:
    """The stance of one sentence toward one target.

    Attributes:
        target: the phrase that was asked about.
        label: the decided label; never "unrelated", such a sentence does not concern the target.
        probability: the calibrated probability of that label.
        sentence: its text as the model read it, cleaned.
        start: where it starts in the text that was given.
        end: where it ends there.
        holder: who holds the stance, offsets into the same text; None when no rule finds one.
        review: whether a person should look at the label: see stancewire.predictor.Score.
    """

    target: str
    label: str
    probability: float
    sentence: str
    start: int
    end: int
    holder: Holder | None
    review: bool = False


@dataclass(frozen=True, slots=True)
class TargetReading:
    """How the article as a whole stands toward one target.

    Attributes:
        target: the phrase that was asked about.
        topic: the decided topic whose phrase it is; None for a target of the caller's.
        verdict: "favor" or "against" when that side has at least twice the other's sentences, "divided" when
            neither has, "neutral" when the target is spoken of and no side is taken, "no_evidence" when no
            sentence concerns the target.
        net: (favor - against) / (favor + against), -1 to 1; None when no sentence takes a side.
        counts: sentences by label: against, favor, neutral.
        deciding: the most probable sentences behind the verdict, at most three.
    """

    target: str
    topic: str | None
    verdict: Verdict
    net: float | None
    counts: dict[str, int]
    deciding: tuple[SentenceStance, ...]


def roll_up(target: str, topic: str | None, stances: Sequence[SentenceStance]) -> TargetReading:
    """Sum up the stances of the sentences that concern a target; of other targets' there must be none."""
    found = Counter(stance.label for stance in stances)
    counts = {label: found[label] for label in (AGAINST, FAVOR, NEUTRAL)}
    sided = counts[FAVOR] + counts[AGAINST]
    net = (counts[FAVOR] - counts[AGAINST]) / sided if sided else None
    verdict = _verdict(net, bool(stances))
    behind = {"divided": (FAVOR, AGAINST)}.get(verdict, (verdict,))
    # A stable sort: of equally probable sentences the earlier one comes first.
    deciding = sorted((s for s in stances if s.label in behind), key=lambda s: -s.probability)
    return TargetReading(target, topic, verdict, net, counts, tuple(deciding[:_DECIDING]))


def _verdict(net: float | None, concerned: bool) -> Verdict:
    if not concerned:
        return "no_evidence"
    if net is None:
        return "neutral"
    if abs(net) < _CLEAR:
        return "divided"
    return "favor" if net > 0 else "against"
