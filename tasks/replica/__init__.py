"""The archive replica: the protocols of the archives, which serve the embedded sky whose truth is known."""
