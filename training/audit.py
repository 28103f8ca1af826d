"""`python -m training.audit DATA`: labels that may be wrong, leaks, balance, agreement, outliers."""

from __future__ import annotations

import sys

from training.auditing.command import main

if __name__ == "__main__":
    sys.exit(main())
