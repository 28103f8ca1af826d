"""From files to labelled rows: read strictly, check, cluster, split, and stop where a text leaks."""
