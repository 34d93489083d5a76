"""
Tests of your own DAGs: each run to its end in a fresh Airflow, against the simulator.

Take up the fixtures in your ``conftest.py``::

    pytest_plugins = ["airflow_provider_comms.testing.pytest_plugin"]

and ask for them in a test::

    def test_newsletter(comms_airflow, comms_simulator):
        operation_id = comms_simulator.add_operation("emails", age=600, failed=0.05)
        run = comms_airflow(newsletter.dag, conf={"operation_id": operation_id})
        assert run.states == {"wait": "success"}

Loading the fixtures imports no Airflow: your ``conftest.py`` may still set ``AIRFLOW_HOME``.
"""
