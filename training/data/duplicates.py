"""Near-duplicates: texts that share much of their wording, such as wire copy that was cut and retouched.

Similarity is the share of the shorter text's word trigrams that the longer one has (containment; Broder,
1997), so that an excerpt is a duplicate too. Candidates come from MinHash with locality-sensitive hashing;
they are then compared exactly. In the bundled corpus, near-verbatim copies share 0.47 or more; articles that
were written independently share 0.15 at most, of one event or of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stancewire.sketches import Sketches
from stancewire.wording import similarity, trigrams

THRESHOLD = 0.4
# Short texts share formulas by chance: below so many trigrams, much more of them must be shared.
_SHORT, _SHORT_THRESHOLD = 30, 0.8
# These keep the time linear. Texts of one formula meet by thousands: a bucket keeps the first of them, and
# the likeliest are compared; true copies meet in more buckets, and are likelier. Copies of one text come by
# thousands: after so many, a further one joins those, and no later one meets it.
_CROWD = 200
_RIVALS = 100
_ENOUGH_COPIES = 16


class Pair(NamedTuple):
    """Two near-duplicates by their positions, first < second, and how similar they are."""

    first: int
    second: int
    similarity: float


def near_duplicates(texts: Sequence[str], *, threshold: float = THRESHOLD) -> tuple[Pair, ...]:
    """Return the pairs of near-duplicates found, in order.

    Where a text has many near-duplicates, it is paired with some of them only, which join all the same.

    Args:
        texts: whole articles, or sentences.
        threshold: least similarity, above 0 and at most 1.
    """
    sets = [trigrams(text) for text in texts]
    sketches = Sketches(sets)
    standing: dict[int, list[int]] = {}
    pairs = []
    for second, buckets in enumerate(sketches.buckets()):
        rivals = {first for bucket in buckets for first in standing.get(bucket, ())}
        alike = []
        for first in sketches.likeliest(second, rivals, _RIVALS):
            smaller = min(len(sets[first]), len(sets[second]))
            least = threshold if smaller >= _SHORT else max(threshold, _SHORT_THRESHOLD)
            if (found := similarity(sets[first], sets[second])) >= least:
                alike.append(Pair(first, second, found))
        pairs += alike
        if len(alike) < _ENOUGH_COPIES:
            for bucket in buckets:
                if len(members := standing.setdefault(bucket, [])) < _CROWD:
                    members.append(second)
    return tuple(sorted(pairs))


def clusters(names: Sequence[str], events: Sequence[str | None], pairs: Iterable[Pair]) -> tuple[str, ...]:
    """Return the cluster of each article, named after its first article.

    Articles of one event, and near-duplicates, share a cluster; so do events that a near-duplicate joins.

    Args:
        names: unique ids, in order.
        events: of each article; None is an event of its own.
        pairs: near-duplicates by position.
    """
    parent = list(range(len(names)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        parent[high] = low

    first_of: dict[str, int] = {}
    for item, event in enumerate(events):
        if event is not None:
            join(first_of.setdefault(event, item), item)
    for pair in pairs:
        join(pair.first, pair.second)
    return tuple(names[root(item)] for item in range(len(names)))
