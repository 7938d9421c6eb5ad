"""This checkout beside other commits: starts, creates, reads, redeems, and a create after a pause."""

import os
import random
from collections import defaultdict
from contextlib import ExitStack

from harness import load, machine
from harness.contenders import PROJECT, Countersign
from harness.creates import figures
from harness.processes import run, say
from harness.report import RATIO_HEADS, ratio_row, spread, table

BODY = {'subject': 'operator@example.com', 'context': {'device': 'laptop', 'purpose': 'sign-in'}}


def measure(stage, options):
    rounds = options.rounds or (2 if options.quick else 9)
    seconds = options.seconds or (2 if options.quick else 5)
    pauses = 2 if options.quick else options.pauses
    with ExitStack() as running:
        # Other commits may not know `delegate`, which a body with somebody else's subject asks for.
        permissions = {'COUNTERSIGN_PRINCIPALS_BENCH_PERMISSIONS': 'issue,delegate,read,remove,redeem'} if stage.signed else {}
        ours = stage.countersign(**permissions)
        contenders = [ours, *(other(stage, running, commit) for commit in options.against.split(','))]
        databases = {each.name: stage.database(running, each) for each in contenders}
        starts = start(contenders, databases, rounds)
        measurements = plan(ours, contenders)
        for each in contenders:
            say(f'warming up {each.name}')
            load.warm(lambda: load.create(each, 64, 3 if options.quick else 20))
            load.warm(lambda: load.redeem(each, 64, 2 if options.quick else 8))
            load.warm(lambda: load.read(each, 64, 2 if options.quick else 5))
        results = defaultdict(list)
        for number in range(rounds):
            for key in random.Random(number).sample(list(measurements), len(measurements)):
                name, operation, connections = key
                databases[name].level()
                result = measurements[key](seconds)
                results[key].append(result)
                say(f'round {number + 1}/{rounds}: {name}: {operation} on {connections}: {result["rate"]:,.0f}/s')
        after_pause = load.after_pauses(contenders, pauses)
    return '\n\n'.join([
        f'### {ours.name} beside other commits',
        f'Medians (min–max) of {rounds} rounds of {seconds} s each, all in turn in each round; {pauses} creates after 30 idle '
        'seconds, one at a time on an open connection.',
        figures(measurements, results),
        table(['', 'start s', 'create after 30 s ms'], [
            [each.name, spread(starts[each], 2), spread(after_pause[each.name], 2)] for each in contenders]),
        'Ratios, each within a round:',
        ratios(ours, contenders[1:], results, starts, after_pause)])


def other(stage, running, commit):
    """The package of another commit, built in a work tree of its own."""
    project = os.path.join(stage.directory, f'commit-{commit}')
    run(['git', 'worktree', 'add', '--detach', project, commit], cwd=PROJECT)
    running.callback(run, ['git', 'worktree', 'remove', '--force', project], cwd=PROJECT)
    say(f'building {commit}')
    machine.build_package(project, signed=stage.signed, unsigned=not stage.signed)
    return Countersign(stage.java, stage.directory, stage.signed, project=project, name=commit)


def start(contenders, databases, rounds):
    """Seconds until the first create was answered, of each in turn; all are left running."""
    seconds = defaultdict(list)
    for number in range(rounds):
        for each in random.Random(number).sample(contenders, len(contenders)):
            each.stop()
            each.start(databases[each.name])
            seconds[each].append(each.started_in)
            say(f'{each.name} started in {each.started_in:.2f} s')
    return seconds


def plan(ours, contenders):
    measurements = {}
    for each in contenders:
        for connections in (1, 64):
            measurements[each.name, 'create', connections] = lambda seconds, c=each, n=connections: load.create(c, n, seconds)
        measurements[each.name, 'read', 64] = lambda seconds, c=each: load.read(c, 64, seconds)
        measurements[each.name, 'redeem', 64] = lambda seconds, c=each: load.redeem(c, 64, seconds)
    # Signed when it is measured: a signature is good for five minutes.
    measurements[ours.name, 'create with a body', 64] = \
        lambda seconds: load.wrk(ours, [ours.request('POST', ours.path, BODY)], 64, seconds)
    return measurements


def ratios(ours, others, results, starts, after_pause):
    rows = []
    for base in others:
        for operation, connections in (('create', 64), ('create', 1), ('read', 64), ('redeem', 64)):
            pairs = zip(results[ours.name, operation, connections], results[base.name, operation, connections])
            rows.append(ratio_row(f'{operation}s on {connections} / {base.name}', [a['rate'] / b['rate'] for a, b in pairs]))
        rows.append(ratio_row(f'start / {base.name}', [a / b for a, b in zip(starts[ours], starts[base])]))
        rows.append(ratio_row(f'create after 30 s / {base.name}', [a / b for a, b in zip(after_pause[ours.name], after_pause[base.name])]))
    pairs = zip(results[ours.name, 'create with a body', 64], results[ours.name, 'create', 64])
    rows.append(ratio_row('creates with a body / without', [a['rate'] / b['rate'] for a, b in pairs]))
    return table(RATIO_HEADS, rows)
