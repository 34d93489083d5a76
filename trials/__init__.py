"""Trials of a distributed Airflow under many waits: its parts are killed, and the API fails. See docs/operations.md."""
