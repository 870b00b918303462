"""Archives: where light curves come from. The only rooms that open files or sockets for them."""
