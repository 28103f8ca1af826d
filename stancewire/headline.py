"""Find the headline of a bare text."""

from __future__ import annotations

import re

from stancewire.examples import Article

_MAX_HEADLINE_CHARS = 200
_LINE_END = r"(?:\r\n|\n|\r(?!\n))"
# One line, then a blank one. A lead paragraph ends with a full stop, a headline hardly ever does.
_HEADLINE = re.compile(
    rf"\s*(?P<title>\S[^\r\n]{{0,{_MAX_HEADLINE_CHARS - 1}}}(?<![.\s]))[ \t]*"
    rf"{_LINE_END}[ \t]*{_LINE_END}\s*(?=\S)"
)


def split_headline(text: str) -> tuple[Article, int]:
    """Split a bare text into headline and body.

    Returns:
        The article, and where its text starts in the given one. The title is "" when the first line is no
        headline: longer than 200 characters, ended by a full stop, or not followed by a blank line.
    """
    if isinstance(text, str) and (match := _HEADLINE.match(text[: 10 * _MAX_HEADLINE_CHARS])):
        return Article(title=match["title"], text=text[match.end() :]), match.end()
    return Article(text=text), 0
