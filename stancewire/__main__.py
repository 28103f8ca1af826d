"""`python -m stancewire`: the command line."""

import sys

from stancewire.cli import main

sys.exit(main())
