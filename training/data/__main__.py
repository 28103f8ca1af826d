"""`python -m training.data check PATH`."""

import sys

from training.data.check import main

if __name__ == "__main__":
    sys.exit(main())
