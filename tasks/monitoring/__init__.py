"""What an operator sees of a run while it runs: log lines and artifacts on the pages of Prefect's server.

Nothing here waits for the server or fails a run: what is to be sent is left to a thread, and dropped where the server
is lost.
"""
