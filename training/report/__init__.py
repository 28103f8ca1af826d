"""The evaluation report: one page for people and its JSON for programs."""
