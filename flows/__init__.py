"""What runs, in which order. Whoever loads a flow, a command or a worker, loads it quiet and without telemetry."""

from flows.environment import quiet

quiet()
