"""The sentences of a text as the stance model is asked about them, and who holds the stance of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from stancewire.examples import StanceExample
from stancewire.holders import Holder, find_holder
from stancewire.sentences import Span
from stancewire.text import CleanText


@dataclass(frozen=True, slots=True)
class Sentence:
    """A cleaned sentence, the one before, and who holds its stance; offsets into the text that was given."""

    text: str
    context: str
    start: int
    end: int
    holder: Holder | None

    def question(self, target: str) -> StanceExample:
        """Ask how the holder stands toward a target; without a holder, what the sentence conveys."""
        named = self.holder.mention if self.holder else ""
        return StanceExample(sentence=self.text, target=target, holder=named or None, context=self.context)


def sentences_of(text: CleanText, spans: Iterable[Span], offset: int) -> Iterator[Sentence]:
    """Yield the sentences of a text in order."""
    before, context = Span(0, 0), ""
    last: Holder | None = None
    for span in spans:
        sentence = text.text[span.start : span.end]
        holder = find_holder(sentence, context)
        if holder is not None:
            base = (before if holder.in_context else span).start
            start, end = text.original_span(base + holder.start, base + holder.end)
            holder = _resolved(holder, last, offset + start, offset + end)
        last = holder
        start, end = text.original_span(*span)
        yield Sentence(sentence, context, offset + start, offset + end, holder)
        before, context = span, sentence


def _resolved(holder: Holder, last: Holder | None, start: int, end: int) -> Holder:
    """Place a holder; let the same pronoun in a row mean the same: "He said …. He added …"."""
    if last is None or not last.in_context or holder.text.lower() != last.mention.lower():
        return Holder(holder.text, start, end, holder.cue, holder.mention, holder.in_context)
    return replace(last, cue=holder.cue, mention=holder.mention)
