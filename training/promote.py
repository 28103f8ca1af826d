"""`python -m training.promote NAME`: make a registered version the champion, if every gate lets it pass."""

from __future__ import annotations

import sys

from training.comparing.promote_command import main

if __name__ == "__main__":
    sys.exit(main())
