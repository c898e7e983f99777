"""How well piste's champion predicts beside what an expert would use on tables: `python -m benchmarks.quality [SET ...]`."""
