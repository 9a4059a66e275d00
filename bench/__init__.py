"""The benchmark table: `make bench`. Every figure stands beside its limit, measured in the same run."""
