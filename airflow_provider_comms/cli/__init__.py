"""The command line: `airflow comms` (Airflow 3.2 and later) and `python -m airflow_provider_comms` (all of them)."""
