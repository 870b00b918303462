"""Verbatim answers of the archives, and what was asked of whom."""
