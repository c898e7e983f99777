"""How time and memory of a comparison grow with the rows: `python -m benchmarks.scaling`."""
