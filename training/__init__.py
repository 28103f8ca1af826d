"""Train, judge, track and promote stancewire classifiers from a checkout."""
