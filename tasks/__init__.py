"""What a worker does. Files are doors (Prefect tasks of a few lines), folders are science (functions on arrays)."""
