"""Starts the program given on the command line, which serves a world of the simulator, for the scripts beside this one."""
import importlib.metadata
import json
import subprocess
import sys


class Simulator:
    """A running simulator: what it told of itself, and its end."""

    def __init__(self, provider):
        self.world = sys.argv[2] if len(sys.argv) > 2 else "sample"
        self.server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = json.loads(self.server.stdout.readline())[provider]

    def agrees(self, package, summary):
        """Ends it, and says what was read."""
        self.server.stdin.close()
        assert self.server.wait() == 0
        print(f"{package} {importlib.metadata.version(package)}, {self.world} world: {summary}: the same as held")
