"""A Patroni cluster of three on loopback, with etcd and HAProxy, each process started here and stopped by its pid."""

import json
import os
import secrets
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request

from harness.postgres import account, programs
from harness.processes import Failure, Process, children, environment, free_port, run, say

USER = 'postgres'
DATABASE = 'countersign'
MEMBERS = 3

HAPROXY = """\
global
    maxconn 500

defaults
    mode tcp
    retries 2
    timeout connect 1s
    timeout client 30m
    timeout server 30m
    timeout check 2s

listen primary
    bind 127.0.0.1:{port}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 3 rise 1 on-marked-down shutdown-sessions
"""


class Cluster:
    """One leader and two standbys, of which one is synchronous if the mode says so."""

    def __init__(self, directory, mode, timing):
        self.directory = directory
        self.mode = mode
        self.timing = timing
        self.bin = programs()
        self.password = secrets.token_urlsafe(24)
        self.home = tempfile.mkdtemp(prefix='countersign-bench-patroni.')
        self.owner = account()
        self._own(self.home)
        self.members = [Member(self, f'member{number}') for number in range(1, MEMBERS + 1)]
        self.etcd_port, self.etcd_peer_port, self.haproxy_port = free_port(), free_port(), free_port()
        self.etcd = self.haproxy = None
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self):
        client, peer = (f'http://127.0.0.1:{port}' for port in (self.etcd_port, self.etcd_peer_port))
        self.etcd = self.process('etcd', [
            'etcd', '--name', 'etcd', '--data-dir', f'{self.home}/etcd', '--listen-client-urls', client,
            '--advertise-client-urls', client, '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer,
            '--initial-cluster', f'etcd={peer}'])
        for member in self.members:
            member.start()
        servers = ''.join(f'    server {member.name} 127.0.0.1:{member.port} check port {member.api_port}\n'
                          for member in self.members)
        self.haproxy = self.process('haproxy', [
            'haproxy', '-db', '-f', self.file('haproxy.cfg', HAPROXY.format(port=self.haproxy_port) + servers)])
        self.await_whole()
        self.sql(f'CREATE DATABASE {DATABASE}', 'postgres')

    def process(self, name, command):
        return Process(command, os.path.join(self.directory, f'{name}.log'), cwd=self.home, **self.owner)

    def file(self, name, text):
        """Writes a file that only the cluster's own account reads."""
        path = os.path.join(self.home, name)
        with open(path, 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
        self._own(path)
        return path

    def _own(self, path):
        if self.owner:
            os.chown(path, self.owner['user'], self.owner['group'])

    def roles(self):
        """What each member is now, by its name, as far as anybody knows."""
        for member in self.members:
            known = member.ask('/cluster')
            if known:
                return {each['name']: each['role'] for each in known['members']
                        if each.get('state') in ('running', 'streaming')}
        return {}

    def leader(self):
        leaders = [name for name, role in self.roles().items() if role == 'leader']
        return next((member for member in self.members if member.name in leaders), None)

    def await_whole(self):
        """Until a leader has all the standbys that it is to have, and they follow closely."""
        synchronous = self.mode != 'asynchronous'
        deadline = time.monotonic() + 120
        while True:
            roles = list(self.roles().values())
            leader = self.leader()
            if leader and len(roles) == MEMBERS and synchronous == ('sync_standby' in roles) and leader.followed():
                return
            if time.monotonic() > deadline:
                raise Failure(f'The cluster did not become whole: {self.roles()}\n{self.members[0].tail()}')
            time.sleep(0.5)

    def sql(self, text, database=DATABASE):
        """Runs statements on the primary, found as the service finds it when it isn't led there by HAProxy."""
        return run([f'{self.bin}/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1'], input=text, env=environment(
            PGHOST=','.join(['127.0.0.1'] * MEMBERS), PGPORT=','.join(str(member.port) for member in self.members),
            PGUSER=USER, PGPASSWORD=self.password, PGDATABASE=database, PGTARGETSESSIONATTRS='read-write')).strip()

    def database(self, route):
        return Database(self, route)

    def version(self):
        return run([f'{self.bin}/postgres', '--version']).split(' ', 2)[2].strip()

    def stop(self):
        for process in (self.haproxy, *self.members, self.etcd):
            if process:
                process.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Member:
    """A PostgreSQL under its Patroni."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.port, self.api_port = free_port(), free_port()
        self.data = os.path.join(cluster.home, name)
        self.patroni = None

    def start(self):
        # A file in JSON is one in YAML.
        settings = self.cluster.file(f'{self.name}.yml', json.dumps(self._settings(), indent=2))
        self.patroni = self.cluster.process(self.name, ['patroni', settings])

    def _settings(self):
        synchronous = {'asynchronous': {}, 'synchronous': {'synchronous_mode': True},
                       'strict': {'synchronous_mode': True, 'synchronous_mode_strict': True}}[self.cluster.mode]
        login = {'username': USER, 'password': self.cluster.password}
        return {
            'scope': 'countersign',
            'name': self.name,
            'restapi': {'listen': f'127.0.0.1:{self.api_port}', 'connect_address': f'127.0.0.1:{self.api_port}'},
            'etcd3': {'hosts': [f'127.0.0.1:{self.cluster.etcd_port}']},
            'bootstrap': {
                'dcs': {
                    **self.cluster.timing,
                    **synchronous,
                    # How far behind a standby may be to be promoted all the same, in bytes: Patroni's own default.
                    'maximum_lag_on_failover': 1048576,
                    'postgresql': {'use_pg_rewind': True, 'parameters': {'max_connections': 200}}},
                'initdb': [{'encoding': 'UTF8'}, {'locale': 'C'}, 'data-checksums']},
            'postgresql': {
                'listen': f'127.0.0.1:{self.port}',
                'connect_address': f'127.0.0.1:{self.port}',
                'data_dir': self.data,
                'bin_dir': self.cluster.bin,
                'pgpass': os.path.join(self.cluster.home, f'{self.name}.pgpass'),
                'authentication': {'superuser': login, 'replication': login},
                'parameters': {'unix_socket_directories': self.cluster.home},
                'pg_hba': ['host all all 127.0.0.1/32 scram-sha-256', 'host replication all 127.0.0.1/32 scram-sha-256'],
            }}

    def ask(self, path):
        """What its Patroni answers, None when it doesn't."""
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.api_port}{path}', timeout=2) as reply:
                return json.load(reply)
        except (OSError, urllib.error.URLError, ValueError):
            return None

    def followed(self):
        """Whether all others stream from this one."""
        known = self.ask('/patroni')
        return len((known or {}).get('replication', [])) == MEMBERS - 1

    def postmaster(self):
        try:
            with open(os.path.join(self.data, 'postmaster.pid')) as file:
                return int(file.readline())
        except (OSError, ValueError):
            return None

    def cut_off(self):
        """Nothing goes to the standbys any more, as when a network fails a moment before the machine does."""
        for pid in children(self.postmaster()):
            if 'walsender' in command_line(pid):
                signal_to(pid, signal.SIGSTOP)

    def kill(self):
        """As a machine that loses its power, all at once: nothing is flushed, said or handed over."""
        postmaster = self.postmaster()
        processes = [self.patroni.pid, postmaster, *children(postmaster)]
        # None may see another die: first they stand still.
        for blow in (signal.SIGSTOP, signal.SIGKILL):
            for pid in processes:
                signal_to(pid, blow)
        self.patroni.child.wait()

    def stop(self):
        if self.patroni:
            postmaster = self.postmaster()
            # Patroni stops its PostgreSQL.
            self.patroni.stop()
            if postmaster and os.path.exists(f'/proc/{postmaster}') and self.postmaster() == postmaster:
                say(f'{self.name} left its PostgreSQL behind')
                os.kill(postmaster, signal.SIGQUIT)

    def tail(self):
        return self.patroni.tail() if self.patroni else ''


def command_line(pid):
    try:
        with open(f'/proc/{pid}/cmdline') as file:
            return file.read()
    except OSError:
        return ''


def signal_to(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Database:
    """The cluster's database, as the service is told of it."""

    def __init__(self, cluster, route):
        ports = [cluster.haproxy_port] if route == 'haproxy' else [member.port for member in cluster.members]
        hosts = ','.join(f'127.0.0.1:{port}' for port in ports)
        self.jdbc_url = f'jdbc:postgresql://{hosts}/{DATABASE}'
        self.user = USER
        self.password = cluster.password
