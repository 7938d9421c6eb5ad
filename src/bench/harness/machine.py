"""What this machine has: the programs that the bench needs, and the words for the report."""

import datetime
import os
import re
import shutil
import subprocess

from harness.contenders import BENCH, PROJECT
from harness.processes import Failure, run, say


def check_programs():
    for name, package in {'wrk': 'wrk', 'node': 'nodejs', 'npm': 'npm'}.items():
        if not shutil.which(name):
            raise Failure(f'{name} not found. On Debian: apt-get install {package}')


def java():
    """The Java that mvnw builds with; the one on the PATH may be too old."""
    home = re.search(r'runtime: (.*)', run([f'{PROJECT}/mvnw', '--version'])).group(1)
    return os.path.join(home, 'bin', 'java')


def build(signed=True, unsigned=True, peers=True):
    say('building')
    build_package(PROJECT, signed, unsigned)
    if peers:
        for peer in ('spring', 'spring-whole'):
            run([f'{PROJECT}/mvnw', '--batch-mode', '--quiet', '--file', f'{BENCH}/{peer}/pom.xml', 'package'], cwd=PROJECT)
        run(['npm', 'ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=f'{BENCH}/fastify')


def build_package(project, signed, unsigned):
    """The package that users deploy, for signed calls, and the one that takes unsigned calls."""
    mvnw = [f'{project}/mvnw', '--batch-mode', '--quiet', '-DskipTests', 'package']
    if unsigned:
        # Antrun would look for the manifests in target/kubernetes; this build writes them elsewhere.
        run([*mvnw, '-Dquarkus.profile=bench', '-Dquarkus.package.output-directory=bench-app', '-Dmaven.antrun.skip'],
            cwd=project)
    if signed:
        run(mvnw, cwd=project)


def describe(java_command, postgres):
    """A Markdown list."""
    wrk = subprocess.run(['wrk', '--version'], capture_output=True, text=True).stdout.split('\n')[0]
    spring = re.search(r'<version>(.*)</version>', _text(f'{BENCH}/spring/pom.xml')).group(1)
    fastify = re.search(r'"fastify": "(.*)"', _text(f'{BENCH}/fastify/package.json')).group(1)
    return _list({
        **_machine(java_command, postgres.home),
        'PostgreSQL': f'{postgres.version()}, default durability',
        'Peers': f'Spring Boot {spring}; Fastify {fastify} on Node {run(["node", "--version"]).strip()}',
        'Load': re.sub(r' *Copyright.*', '', wrk),
        'Load average at the start': f'{os.getloadavg()[0]:.1f}',
    })


def describe_cluster(java_command, cluster):
    """A Markdown list."""
    etcd, haproxy = run(['etcd', '--version']).splitlines()[0], run(['haproxy', '-v']).splitlines()[0]
    return _list({
        **_machine(java_command, cluster.home),
        'Cluster': f'three times PostgreSQL {cluster.version()} under {run(["patroni", "--version"]).strip()}; '
                   f'{etcd}; {haproxy.split(" - ")[0]}',
    })


def _list(lines):
    return '\n'.join(f'- {name}: {text}' for name, text in lines.items())


def _machine(java_command, data):
    with open('/proc/cpuinfo') as cpus:
        model = re.search(r'model name\s*: (.*)', cpus.read())
    with open('/proc/meminfo') as memory:
        total = int(re.search(r'MemTotal: *(\d+)', memory.read()).group(1)) / 1024 / 1024
    return {
        'Date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'Commit': _commit(),
        'Processor': f'{os.cpu_count()} × {model.group(1) if model else os.uname().machine}, shared by everything here',
        'Memory': f'{total:.0f} GB',
        'Kernel': f'{os.uname().sysname} {os.uname().release}, '
                  f'data on {run(["stat", "--file-system", "--format=%T", data]).strip()}',
        'JDK': run([java_command, '-version']).splitlines()[1],
    }


def _commit():
    try:
        commit = run(['git', '-C', PROJECT, 'rev-parse', '--short', 'HEAD']).strip()
        return commit + (' with changes' if run(['git', '-C', PROJECT, 'status', '--porcelain']).strip() else '')
    except (Failure, OSError):
        return 'unknown'


def _text(path):
    with open(path) as file:
        return file.read()
