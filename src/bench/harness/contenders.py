"""The servers that are measured: how each is started, and the requests of each."""

import base64
import http.client
import json
import os
import secrets
import time

from harness.processes import Failure, Process, environment, free_port
from harness.signing import SigV4, jwt

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.dirname(os.path.dirname(BENCH))

POOL_SIZE = 16


class Contender:
    """A server. Its requests are whole, as bytes, so that the load generator does nothing but send them."""

    def __init__(self, java, directory):
        self.java = java
        self.directory = directory
        self.port = free_port()
        self.host = f'127.0.0.1:{self.port}'
        self.process = None
        self.started_in = None

    def start(self, database, until=None):
        """Starts, and notes the seconds until a create, or the given request, was first answered with 200."""
        until = until or self.create()
        log = os.path.join(self.directory, f'{type(self).__name__}-{self.port}.log')
        started = time.monotonic()
        self.process = Process(self.command(), log, env=self.settings(database), cwd=self.directory)
        while self._status(until) != 200:
            self.process.check_alive()
            if time.monotonic() - started > 60:
                raise Failure(f'{self.name} did not answer within a minute:\n{self.process.tail()}')
            time.sleep(0.005)
        self.started_in = time.monotonic() - started

    def stop(self):
        if self.process:
            self.process.stop()

    def _status(self, request):
        """What a request is answered with, None when it isn't."""
        method, path, headers, body = self.parts(request)
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=5)
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    @staticmethod
    def parts(raw):
        head, _, body = raw.partition(b'\r\n\r\n')
        first, *lines = head.decode().split('\r\n')
        method, path, _ = first.split(' ')
        return method, path, dict(line.split(': ', 1) for line in lines), body

    def request(self, method, path, value=None, access=True):
        body = b'' if value is None else json.dumps(value).encode()
        headers = {'Host': self.host, **(self.access(method, path, body) if access else {})}
        if value is not None:
            headers['Content-Type'] = 'application/json'
        if method == 'POST':
            headers['Content-Length'] = len(body)
        lines = ''.join(f'{name}: {text}\r\n' for name, text in headers.items())
        return f'{method} {path} HTTP/1.1\r\n{lines}\r\n'.encode() + body

    def access(self, method, path, body):
        """The headers by which a caller is known."""
        return {}


class Countersign(Contender):
    name = 'Countersign, JVM'
    path = '/prod/backend/demo/challenge'
    # One key for all of a run: the service refuses a database that another key was used with under the same id.
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    principal = SigV4('AKIABENCHBENCHBENCH0', secrets.token_urlsafe(30))

    def __init__(self, java, directory, signed=False, binary=None, project=PROJECT, name=name, **extra_settings):
        """A native binary takes the jar's place where one is given, and the package of another checkout this one's."""
        super().__init__(java, directory)
        self.binary = binary
        self.project = project
        self.name = 'Countersign, native image' if binary else name
        self.management_port = free_port()
        self.signed = signed
        self.extra_settings = extra_settings
        if signed:
            self.name += ', SigV4'

    def start(self, database, until=None):
        super().start(database, until)
        if self.signed and self._status(self.request('POST', self.path, access=False)) != 403:
            raise Failure('The service answers calls without a signature, so there is nothing to measure with one')

    def command(self):
        if self.binary:
            return [self.binary]
        # A production build lets nobody in without a signature; what one costs is measured beside a build that does.
        app = 'quarkus-app' if self.signed else 'bench-app'
        package = os.path.join(self.project, 'target', app)
        # An older commit's package has no cache, and the JVM then goes without.
        return [self.java, f'-XX:AOTCache={package}/app.aot', '-jar', f'{package}/quarkus-run.jar']

    def settings(self, database):
        return environment(
            QUARKUS_HTTP_HOST='127.0.0.1',
            QUARKUS_HTTP_PORT=self.port,
            QUARKUS_MANAGEMENT_HOST='127.0.0.1',
            QUARKUS_MANAGEMENT_PORT=self.management_port,
            QUARKUS_DATASOURCE_JDBC_URL=database.jdbc_url,
            QUARKUS_DATASOURCE_USERNAME=database.user,
            QUARKUS_DATASOURCE_PASSWORD=database.password,
            COUNTERSIGN_CHALLENGE_KEYS_MAIN=self.key,
            COUNTERSIGN_CHALLENGE_ACTIVE_KEY='main',
            **{**(self._signed_settings() if self.signed else self._unsigned_settings()), **self.extra_settings})

    def _signed_settings(self):
        return {
            'COUNTERSIGN_PRINCIPALS_BENCH_ACCESS_KEY_ID': self.principal.access_key_id,
            'COUNTERSIGN_PRINCIPALS_BENCH_SECRET_ACCESS_KEY': self.principal.secret_access_key,
            'COUNTERSIGN_PRINCIPALS_BENCH_APPS': '*',
            'COUNTERSIGN_PRINCIPALS_BENCH_PERMISSIONS': 'issue,read,remove,redeem',
        }

    def _unsigned_settings(self):
        return {'QUARKUS_PROFILE': 'bench'}

    def access(self, method, path, body):
        return self.principal.headers(method, path, self.host, body) if self.signed else {}

    def create(self):
        return self.request('POST', self.path)

    def read(self, token):
        return self.request('GET', f'{self.path}/{token["sessionId"]}')

    def redeem(self, token):
        return self.request(
            'POST', f'{self.path}/{token["sessionId"]}/redeem', {'challengeCode': token['challengeCode']})

    def options(self):
        return self.request('OPTIONS', self.path)

    def refused(self):
        return self.request('POST', '/prod/backend/NOT-AN-APP/challenge')


class Spring(Contender):
    name = 'Spring Security'

    def command(self):
        return [self.java, '-jar', os.path.join(BENCH, 'spring', 'target', 'spring-peer.jar')]

    def settings(self, database):
        return environment(
            SERVER_PORT=self.port,
            SPRING_DATASOURCE_URL=database.jdbc_url,
            SPRING_DATASOURCE_USERNAME=database.user,
            SPRING_DATASOURCE_PASSWORD=database.password,
            SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE=POOL_SIZE)

    def create(self):
        return self.request('POST', '/generate')

    def redeem(self, token):
        return self.request('POST', '/consume', {'tokenValue': token['tokenValue']})


class SpringWhole(Spring):
    """As Spring, with a caller's token, a permission, a limit, an audit and metrics."""
    name = 'Spring Security, whole'

    def __init__(self, java, directory):
        super().__init__(java, directory)
        self.secret = secrets.token_urlsafe(48)
        self.token = jwt(self.secret, {'sub': 'bench', 'scope': 'issue redeem', 'exp': int(time.time()) + 24 * 3600})

    def command(self):
        return [self.java, '-jar', os.path.join(BENCH, 'spring-whole', 'target', 'spring-whole-peer.jar')]

    def settings(self, database):
        return {**super().settings(database), 'BENCH_SECRET': self.secret}

    def access(self, method, path, body):
        return {'Authorization': f'Bearer {self.token}'}


class Fastify(Contender):
    name = 'Fastify + pg'

    def command(self):
        return ['node', os.path.join(BENCH, 'fastify', 'server.mjs')]

    def settings(self, database):
        return {**database.environment, 'NODE_ENV': 'production', 'PORT': str(self.port), 'POOL_SIZE': str(POOL_SIZE)}

    def create(self):
        return self.request('POST', '/apps/demo/codes')

    def redeem(self, token):
        return self.request('POST', f'/apps/demo/codes/{token["sessionId"]}/redeem', {'code': token['code']})
