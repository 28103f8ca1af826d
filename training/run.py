"""`python -m training.run CONFIG [CONFIG…]`: train what the configs say. Imported by nobody."""

from __future__ import annotations

import sys

from training.command import main

if __name__ == "__main__":
    sys.exit(main())
