"""A whole Airflow on this machine: what the demo, the system tests and the benchmarks start."""
