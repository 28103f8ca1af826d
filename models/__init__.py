"""Trainable families. Each fits, predicts, and exports the weights of a stancewire artefact."""
