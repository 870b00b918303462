"""What a worker does. Files are doors (Prefect tasks of a few lines), `stages` knows the lake, all else is science.

Science is functions on arrays and tables. Calls go from doors to stages to science, and never back.
"""
