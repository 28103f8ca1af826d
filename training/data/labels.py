"""Labels in a row: only the codebook's own, and every other one reported with what was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

from stancewire.section import shown
from training.data.faults import Severity
from training.data.rows import StanceRecord, Topics
from training.data.schema import NONE, STANCE_FIELDS, Schema

MAX_TARGET_WORDS = 12
_CELL_HOLDS = {"1": True, "0": False, "": None}


class LabelReader:
    """Reads topics and stance records.

    Args:
        schema: what the labels mean.
        fault: takes the code, the detail and the severity of what is wrong.
        cells: True where every value is a text (CSV).
    """

    def __init__(self, schema: Schema, fault: Callable[[str, str, Severity], None], *, cells: bool) -> None:
        self._schema, self._report, self._cells = schema, fault, cells

    def topics(self, value: object, record: Mapping[str, object]) -> Topics:
        """Return what holds, from the `topics` of a row or else from one column per topic."""
        schema = self._schema
        if value is None and any(schema.column(topic) in record for topic in schema.topics):
            return {topic: self._holds(topic, record.get(schema.column(topic))) for topic in schema.topics}
        if isinstance(value, str) and self._cells:
            value = [] if value == NONE and NONE not in schema.topics else self.cell_list(value)
        if value is None:
            return dict.fromkeys(schema.topics)
        if isinstance(value, Mapping):
            known = {self._label(name, schema.topics, "topic"): held for name, held in value.items()}
            return {topic: self._holds(topic, known.get(topic)) for topic in schema.topics}
        if isinstance(value, list | tuple):
            labels = [self._label(item, schema.topics, "topic") for item in value]
            if twice := sorted({label for label in labels if label and labels.count(label) > 1}):
                self._fault("topic_twice", f"{twice[0]} stands twice in 'topics'; remove one")
            return {topic: topic in labels for topic in schema.topics}
        self._fault("wrong_type", f"expected 'topics' to be a list, a mapping or null, found {shown(value)}")
        return {}

    def cell_list(self, cell: str) -> list[str]:
        """Split a cell; blanks around a separator are how people write lists, others belong to the label."""
        first, *others = cell.split(self._schema.separator)
        if not others:
            return [first]
        return [first.rstrip(), *map(str.strip, others[:-1]), others[-1].lstrip()]

    def stances(self, value: object) -> tuple[StanceRecord, ...]:
        """Return the good ones of a row's stance records."""
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self._fault("wrong_type", f"expected 'stances' to be a list, found {shown(value)}")
            return ()
        return tuple(record for item in value if (record := self._stance_item(item)) is not None)

    def stance(self, item: Mapping[str, object]) -> StanceRecord | None:
        """Return one stance record, or None where it is left out, or a text is missing or of another type."""
        given = item.get("label")
        if isinstance(given, str) and given in self._schema.left_out:
            return None
        texts: dict[str, str | None] = {}
        for name in ("sentence", "target", "holder", "context"):
            value = item.get(name)
            if value is not None and not isinstance(value, str):
                self._fault("wrong_type", f"expected {name!r} of a stance to be a text, found {shown(value)}")
                return None
            texts[name] = value
        label = self._label(given, self._schema.stances, "stance")
        topic = item.get("target_topic")
        known_topic = None if topic is None else self._label(topic, self._schema.topics, "target_topic")
        sentence, target = texts["sentence"] or "", texts["target"] or ""
        if not sentence.strip() or not target.strip():
            self._fault("empty_stance", "expected a text in 'sentence' and in 'target' of a stance")
            return None
        holder, context = texts["holder"] or None, texts["context"]
        self._warn(sentence, target, holder)
        return StanceRecord(
            sentence=sentence,
            target=target,
            label=label,
            holder=holder,
            target_topic=known_topic,
            context=context,
        )

    def _stance_item(self, item: object) -> StanceRecord | None:
        if not isinstance(item, Mapping):
            self._fault("wrong_type", f"expected a stance record to be an object, found {shown(item)}")
            return None
        if unknown := sorted(set(map(str, item)) - set(STANCE_FIELDS)):
            self._fault("unknown_field", f"a stance record has the field {shown(unknown[0])}", "warning")
        return self.stance(item)

    def _holds(self, topic: str, value: object) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value in _CELL_HOLDS:
            return _CELL_HOLDS[value]
        wanted = "1, 0 or an empty cell" if self._cells else "true, false or null"
        self._fault("wrong_type", f"expected topic {topic} to be {wanted}, found {shown(value)}")
        return None

    def _label(self, value: object, known: Sequence[str], what: str) -> str:
        """Return the codebook's label, or "" for anything that only looks like one."""
        if value is not None and not isinstance(value, str):
            self._fault("wrong_type", f"expected a {what} as text, found {shown(value)}; quote it")
            return ""
        text = value or ""
        label = self._schema.label_map.get(text, text)
        if label in known:
            return label
        if not label.strip():
            self._fault("empty_label", f"expected a {what}, found none")
            return ""
        folded = " ".join(label.split()).casefold()
        twin = next((name for name in known if name.casefold() == folded), None)
        close = twin or next(iter(get_close_matches(label, known, n=1)), None)
        hint = f"did you mean {close}?" if close else f"it has {', '.join(known) or 'none'}"
        code = "label_variant" if twin else "unknown_label"
        self._fault(code, f"the codebook has no {what} {shown(label)}; {hint}")
        return ""

    def _warn(self, sentence: str, target: str, holder: str | None) -> None:
        if holder is not None and holder.casefold() not in sentence.casefold():
            named = f"holder {shown(holder)} is not named in its sentence"
            self._fault("holder_not_in_sentence", named, "warning")
        if (words := len(target.split())) > MAX_TARGET_WORDS:
            wanted = f"expected a target of at most {MAX_TARGET_WORDS} words, found {words}"
            self._fault("long_target", wanted, "warning")

    def _fault(self, code: str, detail: str, severity: Severity = "error") -> None:
        self._report(code, detail, severity)
