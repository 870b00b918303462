"""A long campaign of hostile input, in parts that are resumed: `python -m tests.soak`, or `make soak`.

Each part is a sequence of numbered trials; a trial follows from its part, its number and the seed alone. A trial that
ends in anything but an answer or one sentence is a fault.
"""
