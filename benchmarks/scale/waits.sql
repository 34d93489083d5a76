-- The rows that {waits} waits leave in Airflow's database, spread over {triggerers} triggerers that live.
INSERT INTO dag_bundle (name) VALUES ('waits');

INSERT INTO dag (
    dag_id, bundle_name, is_paused, is_stale, max_active_tasks, max_consecutive_failed_dag_runs,
    has_task_concurrency_limits, timetable_type, partition_mapper_info
)
VALUES ('waits', 'waits', false, false, 16, 0, false, '', '{{}}');

INSERT INTO dag_version (id, version_number, dag_id, bundle_name, created_at, last_updated)
VALUES (gen_random_uuid(), 1, 'waits', 'waits', now(), now());

INSERT INTO dag_run (dag_id, run_id, run_type, state, run_after, start_date)
SELECT 'waits', 'run ' || n, 'manual', 'running', now(), now()
FROM generate_series(0, {waits} / 1000) n;

INSERT INTO job (id, job_type, state, start_date, latest_heartbeat)
SELECT n, 'TriggererJob', 'running', now(), now() + interval '1 day'
FROM generate_series(1, {triggerers}) n;

INSERT INTO trigger (id, classpath, kwargs, created_date, triggerer_id)
SELECT
    n, 'airflow_provider_comms.triggers.operation.CommsOperationTrigger', repeat('x', 400), now(),
    1 + n % {triggerers}
FROM generate_series(1, {waits}) n;

INSERT INTO task_instance (
    id, dag_id, task_id, run_id, map_index, state, try_number, max_tries, pool, pool_slots, queue, priority_weight,
    operator, trigger_id, trigger_timeout, next_method, start_date, dag_version_id
)
SELECT
    gen_random_uuid(), 'waits', 'wait', 'run ' || n / 1000, n % 1000, 'deferred', 1, 0, 'default_pool', 1, 'default', 1,
    'CommsOperationSensor', n, now() + interval '1 day', 'execute_complete', now(), dag_version.id
FROM generate_series(1, {waits}) n, dag_version;
