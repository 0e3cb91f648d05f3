"""Runs a Python program, unchanged, so that each Socket.IO event which reaches its client is printed.

The contract's program has no listener for the events it subscribes to; python-socketio's own log tells that they came.
"""
import runpy
import sys

import socketio

original = socketio.Client.__init__


def with_log(self, *args, **kwargs):
    original(self, *args, **{'logger': True, **kwargs})


socketio.Client.__init__ = with_log
runpy.run_path(sys.argv[1], run_name='__main__')
