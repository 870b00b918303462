"""What each archive holds of the embedded sky: one file per family of tables, each with its columns and its rows."""
