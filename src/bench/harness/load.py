"""Load: wrk on a contender, pgbench on the database."""

import glob
import http.client
import json
import os
import random
import re
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import nullcontext

from harness.processes import Failure, run, say

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class OutOfRequests(Failure):
    pass


def wrk(contender, requests, connections, seconds, once=False, refused=False, bodies=None):
    """Sends the requests over and over, or each once, and gives the rate and the latencies in ms."""
    with tempfile.NamedTemporaryFile(prefix='countersign-bench.') as file:
        file.write(b'\0'.join(requests))
        file.flush()
        threads = min(connections, 2)
        output = run([
            'wrk', '--threads', str(threads), '--connections', str(connections), '--duration', f'{seconds}s',
            '--timeout', '10s', '--script', os.path.join(BENCH, 'load.lua'), f'http://{contender.host}', '--',
            file.name, str(threads), 'once' if once else 'cycle', *([bodies] if bodies else [])])
    found = re.search(r'^RESULT (.*)$', output, re.MULTILINE)
    if not found:
        raise Failure(f'wrk gave no result:\n{output}')
    result = json.loads(found.group(1))
    if result['exhausted']:
        raise OutOfRequests(f'{len(requests)} requests were too few for {seconds} s')
    unexpected = result['requests'] - result['statuses'] if refused else result['statuses']
    if unexpected or result['failures'] or not result['requests']:
        contender.process.check_alive()
        raise Failure(f'{contender.name} failed {unexpected} requests and {result["failures"]} connections:\n'
                      f'{output}\n{contender.process.tail()}')
    return measured(result['requests'] * 1e6 / result['micros'], result['p50'], result['p99'])


def measured(rate, p50_micros, p99_micros):
    return {'rate': rate, 'p50': p50_micros / 1000, 'p99': p99_micros / 1000}


def warm(action):
    """Until the compilers have done their work. A cold server may still time out."""
    try:
        action()
    except Failure as failure:
        say(f'not warm yet: {str(failure).splitlines()[0]}')


class Meanwhile:
    """Does something else beside a load; what fails there fails the run."""

    def __init__(self, action):
        self.stop = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._act, args=[action])

    def _act(self, action):
        try:
            action(self.stop)
        except BaseException as failure:
            self.failure = failure

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        if self.failure:
            raise self.failure


def create(contender, connections, seconds):
    return wrk(contender, [contender.create()], connections, seconds)


def tokens(contender, wanted):
    """So many live tokens, made through the contender itself."""
    made = []
    with tempfile.TemporaryDirectory(prefix='countersign-bench.') as directory:
        while len(made) < wanted:
            wrk(contender, [contender.create()], 64, 1, bodies=os.path.join(directory, 'bodies'))
            for path in glob.glob(os.path.join(directory, 'bodies.*')):
                with open(path) as bodies:
                    made += [json.loads(line) for line in bodies if line.endswith('}\n')]
                os.remove(path)
    return made[:wanted]


def read(contender, connections, seconds):
    return wrk(contender, [contender.read(token) for token in tokens(contender, 10_000)], connections, seconds)


def redeem(contender, connections, seconds):
    """Each code is redeemed once; how many there must be is known only from trying."""
    expected = getattr(contender, 'redeems_a_second', 4_000)
    while True:
        requests = [contender.redeem(token) for token in tokens(contender, int(expected * 1.5 * seconds))]
        try:
            result = wrk(contender, requests, connections, seconds, once=True)
        except OutOfRequests:
            expected *= 2
            continue
        contender.redeems_a_second = max(expected if hasattr(contender, 'redeems_a_second') else 0, result['rate'])
        return result


def after_pauses(contenders, count, database=None):
    """Milliseconds of one create after 30 s without any, on a connection that stays open, by the contender's name."""
    milliseconds = defaultdict(list)
    connections = {each: http.client.HTTPConnection('127.0.0.1', each.port, timeout=10) for each in contenders}
    with database.session() if database else nullcontext() as pgbench:
        if database:
            with open(f'{BENCH}/insert.sql') as insert:
                pgbench.sql(f'PREPARE insert AS {insert.read().strip().rstrip(";")}')
                pgbench.sql('EXECUTE insert')
        for number in range(count):
            say(f'pause {number + 1}/{count}')
            time.sleep(30)
            if database:
                milliseconds['pgbench'].append(pgbench.milliseconds('EXECUTE insert'))
            for each in random.Random(number).sample(contenders, len(contenders)):
                method, path, headers, body = each.parts(each.create())
                started = time.monotonic()
                connections[each].request(method, path, body, headers)
                reply = connections[each].getresponse()
                reply.read()
                milliseconds[each.name].append((time.monotonic() - started) * 1000)
                if reply.status != 200:
                    raise Failure(f'{each.name} answered {reply.status} after a pause')
    return milliseconds


def pgbench(database, clients, seconds):
    """The limit of one durable commit a row: the insert alone, with nothing before the database."""
    with tempfile.TemporaryDirectory(prefix='countersign-bench.') as directory:
        output = run([
            f'{database.server.bin}/pgbench', '--no-vacuum', '--protocol=prepared', f'--file={BENCH}/insert.sql',
            # Its clients connect within this time, which takes most of a second.
            f'--client={clients}', f'--jobs={min(clients, 2)}', f'--time={seconds + 1}', '--log', '--sampling-rate=0.1',
            f'--log-prefix={directory}/latency'], env=database.environment)
        latencies = []
        for path in glob.glob(f'{directory}/latency.*'):
            with open(path) as log:
                latencies += [int(line.split()[2]) for line in log]
    if 'number of failed transactions: 0 ' not in output or re.search(r'aborted', output):
        raise Failure(f'pgbench failed:\n{output}')
    centiles = statistics.quantiles(latencies, n=100)
    rate = float(re.search(r'^tps = ([0-9.]+)', output, re.MULTILINE).group(1))
    return measured(rate, centiles[49], centiles[98])
