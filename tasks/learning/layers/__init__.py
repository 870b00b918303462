"""Parts that networks share. Sequences are (B, T, C), padded at their end."""
