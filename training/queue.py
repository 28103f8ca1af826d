"""`python -m training.queue POOL --model M`: what to label next; also `export`, `import` and `curve`."""

from __future__ import annotations

import sys

from training.labelling.command import main

if __name__ == "__main__":
    sys.exit(main())
