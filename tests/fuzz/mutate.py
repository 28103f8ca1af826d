"""Change bytes at random, the same way for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

MOST_BYTES = 20_000
# What parsers trip over, whatever they parse.
TOKENS = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b"\t", b" ", b"'", b'"', b'""', b"\\"),
    *(b"{", b"}", b"[", b"]", b",", b":", b";", b"-", b"#", b"&a", b"*a", b"!!str", b"<<", b"%", b"@", b"|"),
    *(b"null", b"true", b"NaN", b"1e999", b"-1", b"0", b"9" * 30, b"1.5", b"\\ud800", b"\\u0000"),
    *(text.encode() for text in ("\u2028", "\x85", "\u200d", "\u202e", "\u0301", "\uff21", "\u0430", "👨")),
    b"\xed\xa0\x80",
    b"../",
    b"[" * 70,
    b'{"a":' * 70,
)


class Mutator:
    """Makes new inputs of known ones.

    Args:
        seeds: inputs to begin with, at least one.
        tokens: further pieces to insert.
        seed: of the random numbers.
    """

    def __init__(self, seeds: Sequence[bytes], tokens: Sequence[bytes], seed: int) -> None:
        self.pool = list(seeds)
        self._tokens = (*TOKENS, *tokens)
        self._random = random.Random(seed)  # noqa: S311 - nothing secret is drawn

    def next(self) -> bytes:
        """Return a new input."""
        data = self._random.choice(self.pool)
        for _ in range(1 + min(self._random.getrandbits(3), self._random.getrandbits(3))):
            data = self._changed(data)
        return data[:MOST_BYTES]

    def keep(self, data: bytes) -> None:
        """Take an input that led somewhere new as one to begin with."""
        self.pool.append(data)

    def _changed(self, data: bytes) -> bytes:
        draw = self._random
        start = draw.randrange(len(data) + 1)
        stop = min(len(data), start + draw.choice((0, 0, 1, 1, 2, 4, 8, 40)))
        match draw.randrange(8):
            case 0 | 1:
                new = draw.choice(self._tokens)
            case 2:
                new = bytes(byte ^ (1 << draw.randrange(8)) for byte in data[start : start + 1])
                stop = min(len(data), start + 1)
            case 3:
                new = draw.randbytes(draw.randrange(5))
            case 4:  # a piece again, elsewhere
                at = draw.randrange(len(data) + 1)
                new = data[at : at + draw.choice((1, 3, 10, 60))]
            case 5:  # a piece of another input
                other = draw.choice(self.pool)
                at = draw.randrange(len(other) + 1)
                new = other[at : at + draw.choice((3, 10, 60, 400))]
            case 6:
                new = draw.choice(self._tokens) * draw.choice((2, 3, 20))
            case _:
                new = b""
        return data[:start] + new + data[stop:]
