"""Creates, reads and redeems of every contender, in rounds that take each in turn."""

import random
from collections import defaultdict
from contextlib import ExitStack

from harness import load
from harness.contenders import Countersign, Fastify, Spring, SpringWhole
from harness.processes import say
from harness.report import RATIO_HEADS, Goal, ratio_row, spread, table

HTTP_CEILING = 'no database: OPTIONS of the create path'

# Out of reach, but asked each time, as the peer that does the same work asks its own.
LIMITS = {f'COUNTERSIGN_LIMIT_{operation}_PER_MINUTE': '60000000' for operation in ('CREATE_TOKEN', 'READ', 'REDEEM')}


def measure(stage, options):
    rounds = options.rounds or (1 if options.quick else 5)
    seconds = options.seconds or (1 if options.quick else 5)
    pauses = 1 if options.quick else options.pauses
    with ExitStack() as running:
        ours = [Countersign(stage.java, stage.directory, signed, **LIMITS)
                for signed in {'off': [False], 'on': [True], 'both': [False, True]}[options.sigv4]]
        ours += stage.native_image(**LIMITS)
        peers = [peer(stage.java, stage.directory) for peer in (SpringWhole, Spring, Fastify)]
        database = stage.database(running, ours[0])
        for contender in [*ours[1:], *peers]:
            running.callback(contender.stop)
            contender.start(database)
        measurements = plan(ours, peers, database)
        warm_up(ours, peers, seconds if options.quick else 30)
        results = defaultdict(list)
        for number in range(rounds):
            # In another order each time, so that none always follows the same one.
            order = random.Random(number).sample(list(measurements), len(measurements))
            for position, key in enumerate(order):
                database.level()
                result = measurements[key](seconds)
                say(f'round {number + 1}/{rounds}, {position + 1}/{len(order)}: {" ".join(map(str, key))}: '
                    f'{result["rate"]:,.0f}/s, p50 {result["p50"]:.2f}, p99 {result["p99"]:.2f} ms')
                results[key].append(result)
        after_pauses = load.after_pauses([*ours, *peers], pauses, database)
    return '\n\n'.join([
        '### Creates, reads, redeems',
        f'Medians (min–max) of {rounds} rounds of {seconds} s each, all contenders in turn in each round.',
        figures(measurements, results),
        f'One create after 30 idle seconds, {pauses} times:',
        table(['', 'ms'], [[name, spread(milliseconds, 2)] for name, milliseconds in after_pauses.items()]),
        'Ratios, each within a round:',
        ratios(ours, results, after_pauses)])


def plan(ours, peers, database):
    """What to measure, by contender, operation and connections, in the order of the report."""
    measurements = {}
    for contender in [*ours, *peers]:
        is_ours = contender in ours
        for connections in (1, 4, 64, 256) if is_ours else (1, 64):
            measurements[contender.name, 'create', connections] = \
                lambda seconds, c=contender, n=connections: load.create(c, n, seconds)
        if is_ours:
            measurements[contender.name, 'read', 64] = lambda seconds, c=contender: load.read(c, 64, seconds)
        measurements[contender.name, 'redeem', 64] = lambda seconds, c=contender: load.redeem(c, 64, seconds)
    first = ours[0]
    measurements[first.name, HTTP_CEILING, 64] = lambda seconds: load.wrk(first, [first.options()], 64, seconds)
    for clients in (1, 4, 64):
        measurements['pgbench', 'insert', clients] = lambda seconds, n=clients: load.pgbench(database, n, seconds)
    return measurements


def warm_up(ours, peers, seconds):
    first, short = ours[0], max(1, seconds // 3)
    loads = [lambda c=contender: load.create(c, 64, seconds) for contender in [*ours, *peers]]
    loads += [lambda c=contender: load.redeem(c, 64, short) for contender in [*ours, *peers]]
    loads += [lambda c=contender: load.read(c, 64, short) for contender in ours]
    loads += [lambda: load.wrk(first, [first.options()], 64, short)]
    for number, action in enumerate(loads):
        say(f'warming up, {number + 1}/{len(loads)}')
        load.warm(action)


def figures(measurements, results):
    rows = []
    for key in measurements:
        name, operation, connections = key
        rows.append([f'{name}: {operation}', connections, *(
            spread([result[figure] for result in results[key]], digits)
            for figure, digits in (('rate', 0), ('p50', 2), ('p99', 1)))])
    return table(['', 'connections', 'a second', 'p50 ms', 'p99 ms'], rows)


def ratios(ours, results, after_pauses):
    first = ours[0].name
    whole, plain = (SpringWhole.name, 'create', 64), (Spring.name, 'create', 64)
    rows = []

    def compare(label, mine, other, goal=None, figure='rate'):
        rows.append(ratio_row(
            label, [a[figure] / b[figure] for a, b in zip(results[mine], results[other])], goal))

    for contender in ours:
        name = contender.name
        create, one = (name, 'create', 64), (name, 'create', 1)
        compare(f'{name}: creates / those of Spring, whole', create, whole, Goal(least=4))
        compare(f'{name}: reads / creates of Spring, whole', (name, 'read', 64), whole, Goal(least=4))
        compare(f'{name}: redeems / those of Spring, whole', (name, 'redeem', 64), (SpringWhole.name, 'redeem', 64), Goal(least=3))
        compare(f'{name}: p99 of creates / that of Spring, whole', create, whole, Goal(most=0.33), 'p99')
        compare(f'{name}: creates / {HTTP_CEILING}', create, (first, HTTP_CEILING, 64), Goal(least=0.5))
        compare(f'{name}: creates / those of plain Spring', create, plain)
        compare(f'{name}: redeems / those of plain Spring', (name, 'redeem', 64), (Spring.name, 'redeem', 64))
        compare(f'{name}: creates / single-row inserts of pgbench', create, ('pgbench', 'insert', 64))
        compare(f'{name}: creates / those of Fastify', create, (Fastify.name, 'create', 64))
        compare(f'{name}: one caller\'s p50 / that of one pgbench client', one, ('pgbench', 'insert', 1),
                None if contender.signed else Goal(most=1.3), 'p50')
        compare(f'{name}: one caller\'s p50 / that of plain Spring', one, (Spring.name, 'create', 1),
                Goal(most=1) if contender.signed else None, 'p50')
        pairs = zip(after_pauses[name], after_pauses['pgbench'])
        rows.append(ratio_row(f'{name}: a create after 30 s / an insert after 30 s', [a / b for a, b in pairs],
                              None if contender.signed else Goal(most=1.3)))
    for contender in ours[1:]:
        for operation in ('create', 'read', 'redeem'):
            compare(f'{contender.name}: {operation}s / those of {first}', (contender.name, operation, 64),
                    (first, operation, 64),
                    Goal(least=0.8 if contender.binary else 0.9) if operation == 'create' else None)
        more = [a['p50'] - b['p50'] for a, b in zip(results[contender.name, 'create', 1], results[first, 'create', 1])]
        rows.append(ratio_row(f'{contender.name}: one caller\'s p50, ms more than {first}', more, Goal(most=0.15)))
    return table(RATIO_HEADS, rows)
