"""What one create and one redeem take of each resource: what docs/scaling.md reckons with."""

import os
from contextlib import ExitStack

from harness import load
from harness.processes import children, say
from harness.report import spread, table

HEADS = ['', 'connections', 'a second', 'service µs', 'PostgreSQL µs', 'WAL bytes', 'table bytes', 'rows a commit']
SIZE = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('challenge_session')"
COUNTS = """
    SELECT pg_stat_clear_snapshot();
    SELECT xact_commit FROM pg_stat_database WHERE datname = current_database();
    """


def measure(stage, options):
    rounds = options.rounds or (2 if options.quick else 5)
    seconds = options.seconds or (2 if options.quick else 5)
    rows = []
    with ExitStack() as running:
        ours = stage.countersign()
        database = stage.database(running, ours)
        load.warm(lambda: load.create(ours, 64, 5 if options.quick else 30))
        load.warm(lambda: load.redeem(ours, 64, 2 if options.quick else 10))
        for operation, connections in (('create', 8), ('create', 64), ('create', 256), ('redeem', 64)):
            results = [cost(ours, database, operation, connections, seconds) for _ in range(rounds)]
            rows.append([operation, connections, *(spread([each[figure] for each in results], digits) for figure, digits in (
                ('rate', 0), ('service', 0), ('database', 0), ('wal', 0), ('size', 0), ('batch', 1)))])
            say(f'{operation} on {connections}: {results[-1]}')
    return '\n\n'.join([
        '### The cost of one create and one redeem',
        f'Medians (min–max) of {rounds} times {seconds} s: processor time of the service and of all of PostgreSQL, what is '
        'written to the WAL, and what the table and its index grow by, for each.',
        table(HEADS, rows)])


def cost(ours, database, operation, connections, seconds):
    database.level()
    load_it = prepared(ours, operation, connections, seconds)
    before = taken(ours, database)
    result = load_it()
    after = taken(ours, database)
    count = result['rate'] * seconds
    used = {key: (after[key] - before[key]) / count for key in before}
    return {'rate': result['rate'], 'service': used['service'] * 1e6, 'database': used['database'] * 1e6,
            'wal': used['wal'], 'size': used['size'], 'batch': 1 / used['commits']}


def prepared(ours, operation, connections, seconds):
    """The load of an operation. Its tokens are made here, before, and count for neither."""
    if operation == 'create':
        return lambda: load.create(ours, connections, seconds)
    if operation == 'read':
        requests = [ours.read(token) for token in load.tokens(ours, 10_000)]
        return lambda: load.wrk(ours, requests, connections, seconds)
    # The rate known so far is that of a server which was still cold.
    made = load.tokens(ours, int(getattr(ours, 'redeems_a_second', 5_000) * 4 * seconds))
    requests = [ours.redeem(token) for token in made]
    return lambda: load.wrk(ours, requests, connections, seconds, once=True)


def taken(ours, database):
    postmaster = database.server.process.pid
    return {
        'service': seconds_of(ours.process.pid),
        'database': sum(seconds_of(pid) for pid in [postmaster, *children(postmaster)]),
        'wal': int(database.sql("SELECT pg_current_wal_insert_lsn() - '0/0'")),
        'size': int(database.sql(SIZE)),
        'commits': int(database.sql(COUNTS).split()[-1]),
    }


def seconds_of(pid):
    """Processor time of a process and of its children that have ended."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            user, system, children_user, children_system = file.read().rsplit(')', 1)[1].split()[11:15]
    except OSError:
        return 0
    return (int(user) + int(system) + int(children_user) + int(children_system)) / os.sysconf('SC_CLK_TCK')
