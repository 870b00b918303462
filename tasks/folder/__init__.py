"""A folder of Parquet files as an archive: its objects, their light curves, and what of them is refused."""
