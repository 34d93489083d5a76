"""The demonstration: a real Airflow on this machine waits for two operations without holding a worker."""
