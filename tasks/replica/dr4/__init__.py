"""Gaia DR4 beside DR3: the same stars two and a half years later, by the draft of the data model (June 2026)."""
