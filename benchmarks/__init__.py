"""
What the client costs, each figure beside that of a peer in the same run.

`python -m benchmarks` runs all of them, `python -m benchmarks listing_cpu ...` some. The simulated API
runs in a process of its own, and so does every measured load, so that the CPU and memory are those of the client
alone. Ratios and medians are what counts: how fast the machine is, and who else uses it, cancels out of them.
"""
