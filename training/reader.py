"""`python -m training.reader TOPICS STANCE`: log and register two models as one reader."""

from __future__ import annotations

import sys

from training.reader_command import main

if __name__ == "__main__":
    sys.exit(main())
