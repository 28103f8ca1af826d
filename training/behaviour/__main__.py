"""`python -m training.behaviour ARTEFACT`."""

import sys

from training.behaviour.command import main

if __name__ == "__main__":
    sys.exit(main())
