"""
What one of each costs, as it was measured: the constants of the model.

Measured on two cores of a virtual machine with Python 3.11 and Airflow 3.3.2. CPU is that of one core. Where a line
names no other origin, it is `python -m benchmarks.scale 10000 1`, or `100000 10`, or `1000000 100`.
"""

from __future__ import annotations

# The API.
ANSWER = 0.2
"""Seconds until an answer is there. Nothing is known of Twilio's: an assumption."""
IN_FLIGHT = 16
"""Fetches under way at once: the client's bound."""

# The triggerer's runner: our poll.
PAGE_CPU = 0.009
"""Seconds for a page of 1,000 operations of which none is ours."""
WAIT_CPU = 10e-6
"""Seconds for a wait in a cycle that shows nothing new: 20 µs with its share of a page, less that share."""
WAIT_HOLDS = 2.5e-6
"""Seconds of these for which a cycle blocks the event loop without a pause: 0.25 s in a scan of 100,000."""
FETCH_CPU = 0.0012
"""Seconds for a fetch; `fetch_concurrently` has 1.3 ms."""
PEER_POLL_CPU = 0.0005
"""Seconds for a poll in an aiohttp session of its own; `ten_thousand_waits`: 4.8 s for 10,000 of them."""

# The triggerer's runner: Airflow.
PASS_CPU = 5e-6
"""Seconds for a trigger in each pass of the runner, which lets the loop turn once for each (4 to 6.5 µs)."""
PASS_PAUSE = 1.0
"""Seconds between two passes, in the runner's code."""

# Memory of a triggerer's two processes, in bytes.
TASK_MEMORY = 32_000
"""Of a task that waits for one operation: 25 kB in the runner (10 of them ours), 7 kB in the supervisor."""
ID_MEMORY = 3_500
"""Of each further operation of a task."""
EMPTY_TRIGGERER = 310e6
"""Of a triggerer without triggers: 164 and 142 MB."""

# The triggerer's supervisor.
LOOP_PAUSE = 1.0
"""Seconds that a loop waits at most for its runner to say something, in the supervisor's code."""
LOOP_CPU = 0.006
"""Seconds of its own in each loop ..."""
LOOP_CPU_PER_TASK = 0.8e-6
"""... and for each of the triggers that it runs."""
EVENT_SECONDS = 0.008
"""Seconds to hand over an event, one after the other: a transaction of six statements (5.4 to 8.5 ms)."""
BUSY_LOOP = 0.12
"""Seconds of a loop while triggers are taken: 1,000 of them took 2.4 s in a real triggerer."""
TAKEN_IN_A_LOOP = 50
"""Triggers: `[triggerer] max_trigger_to_select_per_loop`."""
UNHEALTHY_AFTER = 30.0
"""Seconds without a heartbeat: `[triggerer] triggerer_health_check_threshold`."""

# The database.
ROW_SECONDS = 1.5e-6
"""
Seconds of the database for each row of `trigger`, in each loop of each triggerer: 1.2 µs at 10,000, 1.8 at 1,000,000.

`triggerer_id` has no index, `clean_unused` looks for a task of each trigger, whosoever it is, and for the tasks that
have done with theirs.
"""
LOOP_STATEMENTS, LOOP_TRANSACTIONS = 7, 3
"""`assign_unassigned` (4), `ids_for_triggerer` and `clean_unused` (2)."""
HEARTBEAT, HEARTBEAT_STATEMENTS = 5.0, 2
"""Seconds between two: `[triggerer] job_heartbeat_sec`; a transaction each."""
TIMEOUTS_CHECK = 15.0
"""Seconds between two, of one statement: `[scheduler] trigger_timeout_check_interval`."""
EVENT_STATEMENTS, EVENT_TRANSACTIONS = 6, 1
START_STATEMENTS, START_TRANSACTIONS = 19, 6
"""Of the API server, for a worker's start that ends in a deferral or in success; counted for 30 in PostgreSQL's log."""

# Workers.
STARTS = 2
"""Worker starts of a wait that defers: one to begin it, one to end it."""
START_CPU = 1.0
"""Seconds for a worker's start; 30 that deferred took two cores 19 s, with all of Airflow and others on them."""
