"""The training loop of every network, and what it needs: parameter groups, losses, batches, devices, checkpoints."""
