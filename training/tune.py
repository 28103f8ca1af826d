"""`python -m training.tune CONFIG`: search the settings of a config, train the best. Imported by nobody."""

from __future__ import annotations

import sys

from training.tuning.command import main

if __name__ == "__main__":
    sys.exit(main())
