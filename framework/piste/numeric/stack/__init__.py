"""Many multi-layer perceptrons of one shape trained as one program; each is what it would be alone."""
