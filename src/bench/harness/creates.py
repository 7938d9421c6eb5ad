"""Creates, reads and redeems of every contender, in rounds that take each in turn."""

import random
from collections import defaultdict
from contextlib import ExitStack

from harness import load
from harness.contenders import Countersign, Fastify, Spring
from harness.processes import say
from harness.report import RATIO_HEADS, Goal, ratio_row, spread, table

HTTP_CEILING = 'no database: OPTIONS of the create path'


def measure(stage, options):
    rounds = options.rounds or (2 if options.quick else 5)
    seconds = options.seconds or (2 if options.quick else 5)
    with ExitStack() as running:
        ours = [Countersign(stage.java, stage.directory, signed)
                for signed in {'off': [False], 'on': [True], 'both': [False, True]}[options.sigv4]]
        ours += stage.native_image()
        spring, fastify = Spring(stage.java, stage.directory), Fastify(stage.java, stage.directory)
        database = stage.database(running, ours[0])
        for contender in [*ours[1:], spring, fastify]:
            running.callback(contender.stop)
            contender.start(database)
        measurements = plan(ours, spring, fastify, database)
        warm_up(ours, spring, fastify, 3 if options.quick else 30)
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
    return '\n\n'.join([
        '### Creates, reads, redeems',
        f'Medians (min–max) of {rounds} rounds of {seconds} s each, all contenders in turn in each round.',
        figures(measurements, results),
        'Ratios, each within a round:',
        ratios(ours, spring, fastify, results)])


def plan(ours, spring, fastify, database):
    """What to measure, by contender, operation and connections, in the order of the report."""
    measurements = {}
    for contender in ours:
        for connections in (1, 8, 64, 256):
            measurements[contender.name, 'create', connections] = \
                lambda seconds, c=contender, n=connections: load.create(c, n, seconds)
        measurements[contender.name, 'read', 64] = lambda seconds, c=contender: load.read(c, 64, seconds)
        measurements[contender.name, 'redeem', 64] = lambda seconds, c=contender: load.redeem(c, 64, seconds)
    first = ours[0]
    measurements[first.name, HTTP_CEILING, 64] = lambda seconds: load.wrk(first, [first.options()], 64, seconds)
    measurements[first.name, 'no database: 400 for a bad app ID', 64] = \
        lambda seconds: load.wrk(first, [first.refused()], 64, seconds, refused=True)
    for clients in (1, 8, 64):
        measurements['pgbench', 'insert', clients] = lambda seconds, n=clients: load.pgbench(database, n, seconds)
    for contender in (spring, fastify):
        measurements[contender.name, 'create', 64] = lambda seconds, c=contender: load.create(c, 64, seconds)
        measurements[contender.name, 'redeem', 64] = lambda seconds, c=contender: load.redeem(c, 64, seconds)
    return measurements


def warm_up(ours, spring, fastify, seconds):
    first, short = ours[0], max(2, seconds // 3)
    loads = [lambda c=contender: load.create(c, 64, seconds) for contender in [*ours, spring, fastify]]
    loads += [lambda c=contender: load.redeem(c, 64, short) for contender in [*ours, spring, fastify]]
    loads += [lambda c=contender: load.read(c, 64, short) for contender in ours]
    loads += [lambda: load.wrk(first, [first.options()], 64, short),
              lambda: load.wrk(first, [first.refused()], 64, short, refused=True)]
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


def ratios(ours, spring, fastify, results):
    first = ours[0].name
    spring_create, limit = (spring.name, 'create', 64), ('pgbench', 'insert', 64)
    rows = []

    def compare(label, mine, other, goal=None, figure='rate'):
        rows.append(ratio_row(
            label, [a[figure] / b[figure] for a, b in zip(results[mine], results[other])], goal))

    for contender in ours:
        name = contender.name
        create = (name, 'create', 64)
        compare(f'{name}: creates / Spring Security generates', create, spring_create, Goal(least=5))
        compare(f'{name}: creates / pgbench single-row inserts', create, limit, Goal(least=2.5))
        compare(f'{name}: creates / {HTTP_CEILING}', create, (first, HTTP_CEILING, 64), Goal(least=0.5))
        compare(f'{name}: creates / Fastify creates', create, (fastify.name, 'create', 64))
        compare(f'{name}: reads / Spring Security generates', (name, 'read', 64), spring_create, Goal(least=2))
        compare(f'{name}: redeems / Spring Security consumes', (name, 'redeem', 64), (spring.name, 'redeem', 64),
                Goal(least=1.5))
        compare(f'{name}: p99 of creates / Spring Security\'s', create, spring_create, Goal(most=1), 'p99')
        compare(f'{name}: p50 of one connection\'s creates / of one pgbench client', (name, 'create', 1),
                ('pgbench', 'insert', 1), Goal(most=1.3), 'p50')
    for contender in ours[1:]:
        for operation in ('create', 'read', 'redeem'):
            compare(f'{contender.name}: {operation}s / the same without', (contender.name, operation, 64),
                    (first, operation, 64))
    return table(RATIO_HEADS, rows)
