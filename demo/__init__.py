"""The demonstration: a real Airflow on this machine sends, waits without holding a worker, and reports."""
