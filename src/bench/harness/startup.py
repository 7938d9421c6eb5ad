"""How long each server takes until its first 200, and how much memory it holds."""

import time
from collections import defaultdict
from contextlib import ExitStack

from harness import load
from harness.contenders import Fastify, Spring
from harness.processes import say
from harness.report import spread, table


def measure(stage, options):
    rounds = options.rounds or (1 if options.quick else 5)
    seconds = options.seconds or (3 if options.quick else 15)
    results = defaultdict(lambda: defaultdict(list))
    with ExitStack() as running:
        first = stage.countersign()
        database = stage.database(running, first)
        results[f'{first.name}, empty database']['start'].append(first.started_in)
        first.stop()
        for _ in range(rounds):
            for contender in (stage.countersign(), *stage.native_image(), Spring(stage.java, stage.directory),
                              Fastify(stage.java, stage.directory)):
                running.callback(contender.stop)
                contender.start(database)
                time.sleep(5)
                figures = results[contender.name]
                figures['start'].append(contender.started_in)
                figures['idle'].append(contender.process.memory()[0])
                load.warm(lambda: load.create(contender, 64, seconds))
                figures['load'].append(contender.process.memory()[1])
                contender.stop()
                say(f'{contender.name}: {", ".join(f"{key} {values[-1]:.2f}" for key, values in figures.items())}')
    return '\n\n'.join([
        '### Start and memory',
        f'Medians (min–max) of {rounds} starts in turn, each until its first create was answered (on the empty '
        'database, which has no app yet: an OPTIONS). Memory is what is resident: 5 s after the start, and at most '
        f'during {seconds} s of creates on 64 connections. The JVMs have their default heap.',
        table(['', 'start s', 'idle MB', 'under load MB'],
              [[name, *(spread(figures[key], digits) if figures[key] else ''
                        for key, digits in (('start', 2), ('idle', 0), ('load', 0)))]
               for name, figures in results.items()])])
