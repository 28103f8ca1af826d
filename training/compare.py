"""`python -m training.compare A B`: which of two models is better, and how sure that is."""

from __future__ import annotations

import sys

from training.comparing.compare_command import main

if __name__ == "__main__":
    sys.exit(main())
