"""Processes that the bench starts, each of which it stops by its pid."""

import errno
import os
import random
import signal
import socket
import subprocess
import sys
import time


class Failure(Exception):
    """The run can't go on; the message says why."""


def say(text):
    print(time.strftime('%H:%M:%S'), text, file=sys.stderr, flush=True)


def free_port():
    """Below the ports that Linux gives to connections by itself, which one could be by the time it is served on."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', random.randrange(10_000, 32_768)))
                return probe.getsockname()[1]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise


def run(command, **options):
    """Runs a command to its end and gives what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise Failure(f'{command[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}')
    return done.stdout


class Process:
    def __init__(self, command, log, stop_signal=signal.SIGTERM, **options):
        self.log = log
        self.stop_signal = stop_signal
        with open(log, 'ab') as output:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
        self.pid = self.child.pid

    def check_alive(self):
        if self.child.poll() is not None:
            raise Failure(f'{self.child.args[0]} ended with {self.child.returncode}:\n{self.tail()}')

    def tail(self):
        with open(self.log, errors='replace') as log:
            return log.read()[-3000:]

    def memory(self):
        """Resident now and at most so far, in MB."""
        with open(f'/proc/{self.pid}/status') as status:
            sizes = dict(line.split(':', 1) for line in status)
        return [int(sizes[name].split()[0]) / 1024 for name in ('VmRSS', 'VmHWM')]

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(self.stop_signal)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return [int(child) for child in file.read().split()]


def environment(**settings):
    return {**os.environ, **{name: str(value) for name, value in settings.items()}}
