"""Track many inputs: planning, results index, worker processes and Dask clusters."""
