"""Sentence encoders tuned by contrast on few labels, under a linear head: SetFit's method."""
