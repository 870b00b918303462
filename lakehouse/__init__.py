"""Where tables live: Delta tables by sky tile, models, run manifests, releases, and SQL over all of them."""
