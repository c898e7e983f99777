"""What checks before training measure with: each file is one thing that columns, rows or folds give away."""
