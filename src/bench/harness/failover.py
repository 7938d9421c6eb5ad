"""What a failover of the database costs its users: writes that were acknowledged and are lost, and time without any."""

import http.client
import json
import threading
import time
from contextlib import ExitStack

from harness.contenders import Countersign
from harness.processes import Failure, say
from harness.report import spread, table

WRITERS = 32
# So long before its end the leader reaches no standby. What it acknowledges then is lost, unless it waits for one.
CUT_OFF_SECONDS = 0.5

# Every acknowledged create is a row, and the row of every acknowledged redeem says so: one that doesn't is a live code.
LOST = """
    CREATE TEMP TABLE acknowledged (session_id uuid, redeemed boolean);
    COPY acknowledged FROM STDIN;
    {rows}
    \\.
    SELECT count(*) FILTER (WHERE session.session_id IS NULL),
           count(*) FILTER (WHERE acknowledged.redeemed AND session.state IS DISTINCT FROM 'redeemed')
      FROM acknowledged
      LEFT JOIN challenge_session AS session
        ON session.app_id = 'demo' AND session.session_id = acknowledged.session_id;
    """


class Writer(threading.Thread):
    """Makes tokens and redeems every other one, and remembers what it was told."""

    def __init__(self, service, stop):
        super().__init__(daemon=True)
        self.service = service
        self.stop = stop
        # By session: whether its redeem was acknowledged too.
        self.tokens = {}
        # When a write was acknowledged.
        self.times = []
        self.refused = 0
        self.connection = None

    def run(self):
        while not self.stop.is_set():
            token = self._send(self.service.create())
            if token:
                self.tokens[token['sessionId']] = False
                if len(self.tokens) % 2 and self._send(self.service.redeem(token)):
                    self.tokens[token['sessionId']] = True

    def _send(self, request):
        """The reply's body when the request succeeded, else None: then nothing was promised."""
        method, path, headers, body = self.service.parts(request)
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection('127.0.0.1', self.service.port, timeout=10)
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            self.refused += 1
            return None
        if reply.status != 200:
            self.refused += 1
            time.sleep(0.01)
            return None
        self.times.append(time.monotonic())
        return json.loads(text)


class Traffic:
    """The writers together."""

    def __init__(self, service):
        self.stop = threading.Event()
        self.writers = [Writer(service, self.stop) for _ in range(WRITERS)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for writer in self.writers:
            writer.join()

    def times(self, since):
        return sorted(time for writer in self.writers for time in list(writer.times) if time >= since)

    def tokens(self):
        # A writer may add to its own meanwhile; a copy is made in one step.
        return {session: redeemed for writer in self.writers for session, redeemed in dict(writer.tokens).items()}

    def refused(self):
        return sum(writer.refused for writer in self.writers)

    def await_writes(self, since, seconds, service):
        """Until writes have been acknowledged again for so long."""
        deadline = time.monotonic() + 120
        while True:
            later = self.times(since)
            if later and later[-1] - later[0] >= seconds:
                return
            if time.monotonic() > deadline:
                raise Failure(f'No write was acknowledged for two minutes:\n{service.process.tail()}')
            time.sleep(0.2)


def measure(java, directory, cluster, route, kills, seconds):
    """Kills the leader so many times under load, each time so many seconds after the cluster is whole."""
    results = []
    with ExitStack() as running:
        service = Countersign(java, directory, signed=True)
        running.callback(service.stop)
        service.start(cluster.database(route), until=service.options())
        # No token expires while it is looked for.
        cluster.sql("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)")
        with Traffic(service) as traffic:
            for number in range(1, kills + 1):
                cluster.await_whole()
                results.append(failover(cluster, service, traffic, seconds))
                say(f'kill {number}/{kills}: {results[-1]}')
    return report(cluster, route, results)


def failover(cluster, service, traffic, seconds):
    begin, refused = time.monotonic(), traffic.refused()
    time.sleep(seconds)
    leader = cluster.leader()
    rate = len(traffic.times(begin)) / (time.monotonic() - begin)
    leader.cut_off()
    cut_off = time.monotonic()
    time.sleep(CUT_OFF_SECONDS)
    leader.kill()
    killed = time.monotonic()
    # Replies that were on their way when it died are no recovery.
    traffic.await_writes(killed + 1, 3, service)
    promoted = cluster.leader()
    if not promoted or promoted.name == leader.name:
        raise Failure(f'{leader.name} was killed, and {promoted and promoted.name} leads')
    times = traffic.times(cut_off - 1)
    outage = max(later - earlier for earlier, later in zip(times, times[1:]))
    acknowledged = traffic.tokens()
    creates, redeems = lost(cluster, acknowledged)
    leader.start()
    return {'leader': f'{leader.name} → {promoted.name}', 'rate': rate, 'refused': traffic.refused() - refused,
            'outage': outage, 'acknowledged': len(acknowledged) + sum(acknowledged.values()),
            'creates lost': creates, 'redeems lost': redeems}


def lost(cluster, acknowledged):
    rows = '\n'.join(f'{session}\t{redeemed}' for session, redeemed in acknowledged.items())
    query = '\n'.join(line.strip() for line in LOST.splitlines())
    return [int(count) for count in cluster.sql(query.format(rows=rows)).split('|')]


def report(cluster, route, results):
    finds = {'haproxy': 'HAProxy finds the leader', 'jdbc': 'the driver, which is given all three hosts, finds the leader'}
    last = results[-1]
    return '\n\n'.join([
        f'#### {cluster.mode.capitalize()} replication, {route}',
        f'{WRITERS} connections create tokens and redeem every other one; {finds[route]}. The leader is cut off from its '
        f'standbys, and {CUT_OFF_SECONDS} s later its Patroni and PostgreSQL are killed (SIGKILL). Patroni: '
        f'{", ".join(f"{name} {value}" for name, value in cluster.timing.items())}. What is lost is counted on the new '
        'leader, of all that was acknowledged since the start.',
        table(['leader', 'writes a second before', 'seconds without a write', 'requests refused', 'acknowledged so far',
               'creates lost so far', 'redeems lost so far'],
              [[result['leader'], f'{result["rate"]:,.0f}', f'{result["outage"]:.1f}', f'{result["refused"]:,}',
                f'{result["acknowledged"]:,}', f'{result["creates lost"]:,}', f'{result["redeems lost"]:,}']
               for result in results]),
        f'**Of {last["acknowledged"]:,} acknowledged writes, {last["creates lost"] + last["redeems lost"]:,} lost; seconds '
        f'without a write: {spread([result["outage"] for result in results], 1)}.**'])
