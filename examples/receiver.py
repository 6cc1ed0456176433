#!/usr/bin/env python3
"""A runner of your own, in Python: it decides whether an order is within its credit.

    RUNGS_SECRET=... PORT=8000 python3 examples/receiver.py

and in rungs.toml:

    [runners.CreditCheck]
    url = "http://127.0.0.1:8000/"
    secret = "..."                     # the same
"""

import hmac
import json
import os
import time
from collections import OrderedDict
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

SECRET = os.environ["RUNGS_SECRET"].encode()
OLDEST = 300  # seconds
LARGEST = 16 * 1024 * 1024  # bytes


def decide(config, data):
    """The business of it. What else Rungs sends: the process's id, the step, the attempt."""
    total = data.get("order", {}).get("total")
    if total is None:
        return {"action": "noop", "message": "no total yet", "retryAfter": 60}
    if total <= float(config["most"]):
        return {"action": "next", "message": f"{total} is fine", "data": {"credit": {"granted": total}}}
    return {"action": "altNext", "message": f"{total} is too much"}


def is_genuine(headers, body):
    """Whether this was signed with our secret, and in these minutes."""
    timestamp, signature = headers.get("Rungs-Timestamp", ""), headers.get("Rungs-Signature", "")
    if not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs(time.time() - int(timestamp)) > OLDEST:
        return False
    expected = hmac.new(SECRET, timestamp.encode() + b"." + body, sha256).hexdigest()
    return hmac.compare_digest(f"v1={expected}".encode(), signature.encode("latin-1"))


class Answered:
    """What was answered, by the visit's id: a visit that is asked again gets the same answer."""

    def __init__(self, most=10_000):
        self.most, self.answers, self.lock = most, OrderedDict(), Lock()

    def to(self, visit):
        with self.lock:
            if visit["id"] not in self.answers:
                answer = {"id": visit["id"], **decide(visit["config"], visit["data"])}
                self.answers[visit["id"]] = answer
                if len(self.answers) > self.most:
                    self.answers.popitem(last=False)
            return self.answers[visit["id"]]


ANSWERED = Answered()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST:
            self.close_connection = True
            return self.reply(413, {"error": "too long, or of no length"})
        body = self.rfile.read(int(length))
        if not is_genuine(self.headers, body):
            return self.reply(401, {"error": "not signed by Rungs, or not in these minutes"})
        self.reply(200, [ANSWERED.to(visit) for visit in json.loads(body)["runners"]])

    def reply(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
