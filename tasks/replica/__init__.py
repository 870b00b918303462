"""The archive replica: a seeded sky with known truth, and later the archives that serve it."""
