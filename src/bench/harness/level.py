"""Whether the table's size stays level when creates never stop."""

import time
from contextlib import ExitStack

from harness import load
from harness.processes import say
from harness.report import table

# A partition lasts for five minutes and is dropped by the next purge, within a minute, once its last token has
# expired: with this TTL nothing is older than seven minutes and a bit.
TTL_SECONDS = 60
SIZE = "SELECT sum(pg_total_relation_size(relid)) / 1000000 FROM pg_partition_tree('challenge_session')"


def measure(stage, options):
    minutes = 2 if options.quick else 25
    rows = []
    with ExitStack() as running:
        ours = stage.countersign()
        database = stage.database(running, ours)
        database.sql(f"UPDATE app SET ttl_seconds = {TTL_SECONDS}")
        load.warm(lambda: load.create(ours, 64, 5))
        for minute in range(1, minutes + 1):
            result = load.create(ours, 64, options.seconds or 60)
            size = float(database.sql(SIZE))
            partitions = database.sql('SELECT count(*) FROM challenge_session_partition '
                                      f'WHERE starts_at <= now() + make_interval(secs => {TTL_SECONDS})')
            rows.append([minute, f'{result["rate"]:,.0f}', f'{result["p99"]:.1f}', f'{size:,.0f}', partitions])
            say(f'minute {minute}: {rows[-1][1]}/s, {rows[-1][3]} MB')
    return '\n\n'.join([
        '### Level',
        f'Creates on 64 connections without a pause, a TTL of {TTL_SECONDS} s, the purge as by default.',
        table(['minute', 'creates a second', 'p99 ms', 'table MB', 'partitions in use'], rows)])
