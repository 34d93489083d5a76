"""
Twilio's Comms API in Python: operations, their counters, and a polite conversation.

Knows nothing of Airflow. Import from the modules: nothing is re-exported here, so that a DAG file
that needs a name from `resource` does not load an HTTP client.
"""
