"""Sweeps: search the settings of a config on train and dev, then train the best choice once."""
