"""Read a codebook from its YAML file."""

from __future__ import annotations

from pathlib import Path

from stancewire.codebook import Codebook
from stancewire.errors import CodebookError
from training.yaml import parse_yaml

BUNDLED = "data/codebook.yaml"


def load_codebook(path: str | Path) -> Codebook:
    """Return the codebook of a YAML file.

    Raises:
        CodebookError: if there is none, or its content is no codebook.
        ConfigError: if the file is no strict YAML.
    """
    try:
        source = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise CodebookError(f"{path}: the codebook cannot be read: {reason}") from None
    try:
        return Codebook.from_dict(parse_yaml(source, str(path)).data)
    except CodebookError as error:
        raise CodebookError(f"{path}: {error}") from None
