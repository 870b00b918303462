"""The stages of a run: what is to be done, reading, spreading it over workers, one commit. No Prefect."""
