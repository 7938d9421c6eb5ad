"""A PostgreSQL of the bench's own, in a temporary directory, with the durability it has by default."""

import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

from harness.processes import Failure, Process, environment, free_port, run

ADMIN = 'bench'


def account():
    """As whom its programs run, as options of a process: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    postgres = pwd.getpwnam('postgres')
    return {'user': postgres.pw_uid, 'group': postgres.pw_gid, 'extra_groups': []}


def programs():
    """Where the newest installed PostgreSQL's programs are: Debian keeps most of them off the PATH."""
    on_path = shutil.which('initdb')
    found = glob.glob('/usr/lib/postgresql/*/bin/initdb')
    if not on_path and not found:
        raise Failure('No PostgreSQL found. On Debian: apt-get install postgresql postgresql-contrib')
    newest = max(found, key=lambda path: int(path.split('/')[4])) if found else on_path
    return os.path.dirname(newest)


class Postgres:
    def __init__(self, log):
        self.bin = programs()
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self.home = tempfile.mkdtemp(prefix='countersign-bench-pg.')
        self.client_environment = environment(
            PGHOST='127.0.0.1', PGPORT=self.port, PGUSER=ADMIN, PGPASSWORD=self.password, PGDATABASE='postgres')
        self.process = None
        try:
            self._start(log)
        except BaseException:
            self.stop()
            raise

    def _start(self, log):
        if run(['stat', '--file-system', '--format=%T', self.home]).strip() == 'tmpfs':
            raise Failure(f'{self.home} is in memory, where nothing is durable. Set TMPDIR to a directory on a disk.')
        owner = account()
        if owner:
            os.chown(self.home, owner['user'], owner['group'])
        password_file = os.path.join(self.home, 'password')
        with open(password_file, 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.password)
        if owner:
            os.chown(password_file, owner['user'], owner['group'])
        data = os.path.join(self.home, 'data')
        run([f'{self.bin}/initdb', '--pgdata', data, '--username', ADMIN, '--encoding', 'UTF8', '--locale', 'C',
             '--auth', 'scram-sha-256', '--pwfile', password_file], cwd=self.home, **owner)
        # Only what it takes to be reached by all contenders at once: the rest is as installed.
        self.process = Process(
            [f'{self.bin}/postgres', '-D', data, '-p', str(self.port), '-k', self.home,
             '-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'],
            log, stop_signal=signal.SIGINT, cwd=self.home, **owner)
        deadline = time.monotonic() + 30
        while subprocess.run([f'{self.bin}/pg_isready', '-q'], env=self.client_environment).returncode != 0:
            self.process.check_alive()
            if time.monotonic() > deadline:
                raise Failure('PostgreSQL did not start:\n' + self.process.tail())
            time.sleep(0.05)
        durability = [self.sql(f'SHOW {name}') for name in ('fsync', 'synchronous_commit', 'full_page_writes')]
        if durability != ['on', 'on', 'on']:
            raise Failure(f'PostgreSQL is not durable: {durability}')

    def sql(self, text, database=None):
        """Runs statements, each in a transaction of its own, and gives the rows of all as lines."""
        return run([f'{self.bin}/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database or 'postgres'],
                   input=text, env=self.client_environment).strip()

    def create_database(self, name):
        self.sql(f'CREATE DATABASE {name}')
        return Database(self, name)

    def version(self):
        return self.sql('SHOW server_version')

    def stop(self):
        if self.process:
            self.process.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Database:
    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.jdbc_url = f'jdbc:postgresql://127.0.0.1:{server.port}/{name}'
        self.user = ADMIN
        self.password = server.password
        self.environment = {**server.client_environment, 'PGDATABASE': name}

    def sql(self, text):
        return self.server.sql(text, self.name)

    def session(self):
        return Session(self)

    def level(self):
        """Gives every measurement the same start: no rows, nothing waiting to be written back."""
        self.sql("""
            DO $$
            DECLARE tables text;
            BEGIN
                SELECT string_agg(relname, ', ') INTO tables FROM pg_class
                 WHERE relname IN ('challenge_session', 'one_time_tokens');
                EXECUTE 'TRUNCATE ' || tables;
            END $$;
            CHECKPOINT;
            """)


class Session:
    """A connection that stays open, so that asking again and again costs the machine little."""

    END = 'end-of-rows'

    def __init__(self, database):
        self.child = subprocess.Popen(
            [f'{database.server.bin}/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1'], env=database.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def sql(self, text):
        self.child.stdin.write(f"{text};\nSELECT '{self.END}';\n")
        self.child.stdin.flush()
        rows = []
        for line in self.child.stdout:
            if line.strip() == self.END:
                return '\n'.join(rows).strip()
            rows.append(line.rstrip('\n'))
        raise Failure(f'psql ended at: {text}')

    def milliseconds(self, text):
        """How long a statement took its client."""
        timed = self.sql(f'\\timing on\n{text};\n\\timing off\nSELECT')
        return float(re.search(r'^Time: ([0-9.]+) ms', timed, re.MULTILINE).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(20)
