"""What a limit costs those who stay below it."""

from contextlib import ExitStack

from harness import load
from harness.processes import say
from harness.report import RATIO_HEADS, Goal, ratio_row, spread, table


def measure(stage, options):
    rounds = options.rounds or (2 if options.quick else 5)
    seconds = options.seconds or (2 if options.quick else 10)
    results = {'limited': [], 'unlimited': []}
    with ExitStack() as running:
        ours = stage.countersign()
        database = stage.database(running, ours)
        load.warm(lambda: load.create(ours, 64, 5 if options.quick else 30))
        # Near enough to the limit for its bucket to be used in earnest, far enough never to meet it.
        per_minute = int(load.create(ours, 64, seconds)['rate'] * 60 * 3)
        database.sql(f"INSERT INTO app (app_id, create_token_per_minute) VALUES ('limited', {per_minute})")
        database.sql("INSERT INTO app (app_id) VALUES ('unlimited')")
        for number in range(rounds):
            for app in sorted(results, reverse=number % 2):
                database.level()
                create = ours.request('POST', f'/prod/backend/{app}/challenge')
                results[app].append(load.wrk(ours, [create], 64, seconds))
                say(f'{app}: {results[app][-1]["rate"]:,.0f}/s')
    return '\n\n'.join([
        '### Limits',
        f'Creates on 64 connections, {rounds} rounds of {seconds} s: for an app with a limit of {per_minute:,} a minute, '
        'and for one without a limit.',
        table(['', 'creates a second', 'p99 ms'],
              [[app, spread([each['rate'] for each in runs]), spread([each['p99'] for each in runs], 1)]
               for app, runs in results.items()]),
        table(RATIO_HEADS, [ratio_row(
            'limited / unlimited',
            [limited['rate'] / unlimited['rate'] for limited, unlimited in zip(*results.values(), strict=True)],
            Goal(least=0.9))])])
