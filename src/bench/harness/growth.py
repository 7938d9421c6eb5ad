"""Whether creates stay fast when many tokens live."""

import statistics
from contextlib import ExitStack

from harness import load
from harness.processes import say
from harness.report import RATIO_HEADS, Goal, ratio_row, spread, table

# Tokens that expire within the next hour, as many in each partition, by the ID's own layout.
FILL = """
    INSERT INTO challenge_session (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
    SELECT 'demo', (SELECT generation FROM app WHERE app_id = 'demo'),
           (session_id_prefix(expires_at) || '8' || substr(encode(uuid_send(gen_random_uuid()), 'hex'), 14))::uuid,
           'main', uuid_send(gen_random_uuid()), 'bench', now(), expires_at
      FROM generate_series(1, {rows}) AS row
     CROSS JOIN LATERAL (
           SELECT date_trunc('milliseconds', now() + interval '5 minutes' + row * (interval '55 minutes' / {rows})))
           AS life (expires_at);
    VACUUM (ANALYZE) challenge_session;
    CHECKPOINT;
    """


def measure(stage, options):
    rounds = options.rounds or (2 if options.quick else 5)
    seconds = options.seconds or (2 if options.quick else 10)
    sizes = [0, 100_000, 1_000_000] if options.quick else [0, 1_000_000, 10_000_000]
    results = []
    with ExitStack() as running:
        ours = stage.countersign()
        database = stage.database(running, ours)
        load.warm(lambda: load.create(ours, 64, 5 if options.quick else 30))
        # Empty once more at the end: what the machine itself changed meanwhile shows there.
        for size in [*sizes, 0]:
            database.level()
            if size:
                say(f'making {size:,} live tokens')
                database.sql(FILL.format(rows=size))
            results.append((size, [load.create(ours, 64, seconds) for _ in range(rounds)]))
            say(f'{size:,} live: {spread([result["rate"] for result in results[-1][1]])}/s')
    return '\n\n'.join([
        '### Growth',
        f'Creates on 64 connections, {rounds} times {seconds} s, with so many tokens alive before.',
        table(['live tokens', 'creates a second', 'p99 ms'],
              [[f'{size:,}', spread([each['rate'] for each in runs]), spread([each['p99'] for each in runs], 1)]
               for size, runs in results]),
        ratios(results)])


def ratios(results):
    empty, full = results[0][1] + results[-1][1], results[-2]
    reference = statistics.median(each['rate'] for each in empty)
    return table(RATIO_HEADS, [ratio_row(
        f'{full[0]:,} live / none, before and after', [each['rate'] / reference for each in full[1]], Goal(least=0.8))])
