"""Where the processor time of a create, a read and a redeem goes, by component: async-profiler on the jar under load."""

import os
import re
import zipfile
from collections import Counter
from contextlib import ExitStack

from harness import cost, load
from harness.contenders import PROJECT
from harness.processes import run, say
from harness.report import spread, table

PROFILER = 'tools.profiler:async-profiler:4.2'
INTERVAL_MICROS = 1000

# A sample belongs to the component of its innermost frame that one of these names.
COMPONENTS = {
    'audit line and log': r'dev/countersign/(access/Audit|logging/)|org/jboss/logmanager|io/quarkus/logging',
    'signature': r'dev/countersign/access/SigV4',
    'caller and permission': r'dev/countersign/access/|io/quarkus/(security|vertx/http/runtime/security)',
    'limit': r'dev/countersign/limit/',
    'filters': r'dev/countersign/http/',
    'code': r'dev/countersign/challenge/(ChallengeCode|KeyedHash)',
    'batching': r'dev/countersign/challenge/Batcher',
    'JDBC and pool': r'org/postgresql/|io/agroal/|org/hibernate/|com/arjuna/|dev/countersign/challenge/(BatchStatement|ChallengeSessionRepository)',
    'operation': r'dev/countersign/',
    'metrics': r'io/micrometer/',
    'JSON': r'com/fasterxml/jackson/',
    'JAX-RS': r'org/jboss/resteasy/|io/quarkus/resteasy/',
    'HTTP and sockets': r'io/vertx/|io/netty/|io/quarkus/vertx/',
    'compilers': r'CompileBroker::',
    'collector': r'(G1|Worker)\w*::',
}
RULES = [(name, re.compile(pattern)) for name, pattern in COMPONENTS.items()]
REST = 'the rest'

# An operation, and on how many connections.
LOADS = [('create', 1), ('create', 64), ('read', 64), ('redeem', 64)]


def measure(stage, options):
    rounds = options.rounds or (1 if options.quick else 3)
    seconds = options.seconds or (5 if options.quick else 15)
    with ExitStack() as running:
        ours = stage.countersign()
        database = stage.database(running, ours)
        library = profiler(stage.directory)
        jcmd = os.path.join(os.path.dirname(stage.java), 'jcmd')
        load.warm(lambda: load.create(ours, 64, 5 if options.quick else 40))
        load.warm(lambda: load.redeem(ours, 64, 2 if options.quick else 10))
        rows = {}
        for operation, connections in LOADS:
            results = [profiled(stage, jcmd, library, ours, database, operation, connections, seconds) for _ in range(rounds)]
            for name in results[0]:
                rows.setdefault(name, [name]).append(spread([each[name] for each in results], 1))
    return '\n\n'.join([
        '### Where the time goes',
        f'Microseconds of processor time for each operation{", signed" if stage.signed else ""}: medians (min–max) of {rounds} '
        f'times {seconds} s. The kernel counts the time of the service and of PostgreSQL; the profiler tells its shares.',
        table(['', *(f'{operation}, {connections}' for operation, connections in LOADS)], rows.values())])


def profiler(directory):
    """The profiler's library, which Maven brings."""
    run([f'{PROJECT}/mvnw', '--batch-mode', '--quiet', 'dependency:copy', f'-Dartifact={PROFILER}',
         f'-DoutputDirectory={directory}', '-Dmdep.stripVersion=true'], cwd=PROJECT)
    with zipfile.ZipFile(os.path.join(directory, 'async-profiler.jar')) as jar:
        name = next(name for name in jar.namelist() if re.search(r'linux-(x64|amd64)/libasyncProfiler\.so$', name))
        return jar.extract(name, directory)


def profiled(stage, jcmd, library, ours, database, operation, connections, seconds):
    database.level()
    pid, stacks = str(ours.process.pid), os.path.join(stage.directory, 'stacks.txt')
    load_it = cost.prepared(ours, operation, connections, seconds)
    before = cost.taken(ours, database)
    # jcmd takes a text with an equals sign for an option of its own, unless it is in quotes.
    run([jcmd, pid, 'JVMTI.agent_load', library, f'"start,event=ctimer,interval={INTERVAL_MICROS}us"'])
    result = load_it()
    run([jcmd, pid, 'JVMTI.agent_load', library, f'"stop,collapsed,file={stacks}"'])
    after = cost.taken(ours, database)
    operations = result['rate'] * seconds
    samples = Counter()
    with open(stacks) as lines:
        for line in lines:
            frames, count = line.rsplit(' ', 1)
            samples[component(frames.split(';'))] += int(count)
    say(f'{operation} on {connections}: {result["rate"]:,.0f}/s, {sum(samples.values())} samples')
    # A kernel takes fewer samples than it is asked for: the shares are the profiler's, the time is the kernel's.
    used = (after['service'] - before['service']) / operations * 1e6
    micros = {name: used * samples[name] / samples.total() for name in [*COMPONENTS, REST]}
    micros['the service, in all'] = used
    micros['PostgreSQL'] = (after['database'] - before['database']) / operations * 1e6
    micros['by the clock, p50'] = result['p50'] * 1000
    return micros


def component(frames):
    for frame in reversed(frames):
        for name, pattern in RULES:
            if pattern.match(frame):
                return name
    return REST
