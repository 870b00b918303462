"""Delta tables: whole commits, written by many workers, read by anyone."""
