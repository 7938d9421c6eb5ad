"""How fast expired tokens go, and what creates lose meanwhile."""

import time
from contextlib import ExitStack

from harness import load
from harness.processes import Failure, say
from harness.report import RATIO_HEADS, Goal, ratio_row, spread, table

SLOT_SECONDS = 300

# Under a name that the purge doesn't look for, until it is released.
HIDDEN_PARTITION = """
    SELECT format('CREATE TABLE hidden_challenge_session_p{slot} PARTITION OF challenge_session FOR VALUES FROM (%L) TO (%L)',
                  session_id_floor(to_timestamp({slot})), session_id_floor(to_timestamp({slot} + 300)))
    \\gexec
    """
ROWS = """
    INSERT INTO challenge_session (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
    SELECT 'demo', (SELECT generation FROM app WHERE app_id = 'demo'),
           (session_id_prefix(expires_at) || '8' || substr(encode(uuid_send(gen_random_uuid()), 'hex'), 14))::uuid,
           'main', uuid_send(gen_random_uuid()), 'bench', expires_at - interval '5 minutes', expires_at
      FROM generate_series(0, {rows} - 1) AS row
     CROSS JOIN LATERAL (SELECT to_timestamp({slot} + row * 299.0 / {rows})) AS life (expires_at);
    """
HIDDEN = "SELECT relname FROM pg_class WHERE relname ~ '^hidden_challenge_session_p[0-9]+$' ORDER BY relname"
DEFAULT_ROWS = 'SELECT count(*) FROM (SELECT FROM challenge_session_default LIMIT 1) AS any_row'
EXPIRED = 'SELECT count(*) FROM challenge_session_partition WHERE ends_at <= now()'

# The lock under which the service's replicas purge: who holds it keeps them from it.
HOLD = f'SELECT pg_advisory_lock({0x636f756e74657273})'
RELEASE = f'SELECT pg_advisory_unlock({0x636f756e74657273})'


def measure(stage, options):
    rounds = options.rounds or (1 if options.quick else 3)
    seconds = options.seconds or (6 if options.quick else 12)
    rows = 50_000 if options.quick else 1_000_000
    results = {'dropped': [], 'deleted': [], 'nothing': [], 'partitions': [], 'default': []}
    with ExitStack() as running:
        # Far more often than by default, so that it works all the time.
        ours = stage.countersign(COUNTERSIGN_PURGE_EVERY='1S')
        database = stage.database(running, ours)
        session = running.enter_context(database.session())
        load.warm(lambda: load.create(ours, 64, 5 if options.quick else 30))
        for number in range(rounds):
            database.level()
            for key, measurement in (
                    ('dropped', lambda: drops(ours, database, session, 5, rows)),
                    ('deleted', lambda: deletes(ours, database, session, rows)),
                    ('nothing', lambda: creates_beside_nothing(ours, database, seconds)),
                    ('partitions', lambda: creates_beside_drops(ours, database, session, seconds, rows)),
                    ('default', lambda: creates_beside_deletes(ours, database, session, seconds, rows))):
                say(f'round {number + 1}/{rounds}: {key}')
                results[key].append(measurement())
    return '\n\n'.join([
        '### Purge',
        f'Medians (min–max) of {rounds} rounds; the service purges every second, instead of every minute. '
        f'A partition holds {rows:,} expired tokens here, and so does the default partition.',
        table(['alone', 'rows a second'], [
            ['five partitions dropped', spread(results['dropped'])],
            ['the default partition emptied, in batches', spread(results['deleted'])]]),
        f'Creates on 64 connections for {seconds} s:',
        table(['beside', 'creates a second', 'p50 ms', 'p99 ms'], [
            [label, *(spread([each[figure] for each in results[key]], digits)
                      for figure, digits in (('rate', 0), ('p50', 2), ('p99', 1)))]
            for key, label in (('nothing', 'nothing to purge'), ('partitions', 'a partition dropped each second'),
                               ('default', 'the default partition being emptied'))]),
        table(RATIO_HEADS, [
            ratio_row(label, [a['rate'] / b['rate'] for a, b in zip(results[key], results['nothing'])], goal)
            for key, label, goal in (
                ('partitions', 'creates beside drops / beside nothing', Goal(least=0.95)),
                ('default', 'creates beside deletes / beside nothing', None))])])


def past_slot(number):
    """The beginning of the slot so many before this one."""
    return int(time.time()) // SLOT_SECONDS * SLOT_SECONDS - number * SLOT_SECONDS


def fill_hidden(database, count, rows):
    for slot in [past_slot(number) for number in range(1, count + 1)]:
        database.sql(HIDDEN_PARTITION.format(slot=slot) + ROWS.format(slot=slot, rows=rows))
    database.sql('CHECKPOINT')


def release(session, names):
    """Gives partitions the names by which the purge finds them, all at once."""
    session.sql('; '.join(['BEGIN', *(f'ALTER TABLE {name} RENAME TO {name.removeprefix("hidden_")}' for name in names),
                           'COMMIT']))


def drops(ours, database, session, count, rows):
    """Rows a second, from the last look at which all partitions were there."""
    fill_hidden(database, count, rows)
    release(session, session.sql(HIDDEN).split())
    return count * rows / until_none(ours, session, EXPIRED, whole=count)


def deletes(ours, database, session, rows):
    """Rows a second, from when the purge may begin; it takes up to a second to notice."""
    session.sql(HOLD)
    fill_default(database, rows)
    session.sql(RELEASE)
    return rows / until_none(ours, session, DEFAULT_ROWS)


def fill_default(database, rows):
    # There is no partition for yesterday.
    database.sql(ROWS.format(slot=past_slot(24 * 3600 // SLOT_SECONDS), rows=rows))
    database.sql('CHECKPOINT')


def until_none(ours, session, count, whole=None):
    started = time.monotonic()
    begin = started
    while (left := int(session.sql(count))) > 0:
        now = time.monotonic()
        if left == whole:
            begin = now
        if now - started > 120:
            raise Failure(f'The purge did not get on: {left} left by {count}\n{ours.process.tail()}')
        time.sleep(0.02)
    return time.monotonic() - begin


def creates_beside_nothing(ours, database, seconds):
    database.level()
    return load.create(ours, 64, seconds)


def creates_beside_drops(ours, database, session, seconds, rows):
    database.level()
    fill_hidden(database, seconds - 2, rows)
    names = session.sql(HIDDEN).split()
    with load.Meanwhile(lambda stop: [release(session, [name]) for name in names if not stop.wait(1)]):
        result = load.create(ours, 64, seconds)
    # Each waits for its lock beside the load, so that there may not have been time for the last of them.
    left = session.sql(HIDDEN).split()
    if left:
        say(f'{len(names) - len(left)} of {len(names)} partitions were dropped beside the load')
        release(session, left)
    until_none(ours, session, EXPIRED)
    return result


def creates_beside_deletes(ours, database, session, seconds, rows):
    database.level()
    session.sql(HOLD)
    fill_default(database, rows)
    with load.Meanwhile(lambda stop: session.sql(RELEASE)):
        result = load.create(ours, 64, seconds)
    until_none(ours, session, DEFAULT_ROWS)
    return result
