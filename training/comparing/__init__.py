"""Two models on the same rows: which is better, how sure that is, and whether one may be promoted."""
