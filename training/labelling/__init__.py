"""The label loop: what to label next, to and from labelling tools, and whether more labels would help."""
