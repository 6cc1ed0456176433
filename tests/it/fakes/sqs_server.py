"""SQS and IAM for tests: moto, on a loopback port, until the end of standard input.

Prints one line of JSON with the port. What is mended here is not as SQS does it:
- Messages of one group whose time runs out together come again in their order. (moto
  gives the last one first.)
- Two receives at once never give the same message. (moto's threads may.)
- A receive sees one moment: of a group whose time runs out while it looks, it gives all or
  nothing. (moto looks at the time again for each message, and may give the second of a group
  whose first was not to be had yet.)
"""

import json
import logging
import sys
import threading
import time

import moto.sqs.models as models
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.sqs.models import Queue, SQSBackend

alone = threading.RLock()
receive, delete = SQSBackend.receive_message, SQSBackend.delete_message
change, send_all = SQSBackend.change_message_visibility, SQSBackend.send_message_batch

# moto counts all messages several times for each one that is sent, and takes a long way to the
# time for each that it counts: two thousand messages would take minutes.
moment = None
models.unix_time_millis = lambda: moment or time.time() * 1000
is_sending = False


def counted(count):
    return property(lambda self: 0 if is_sending else count.fget(self))


for name in ["", "_delayed", "_not_visible"]:
    name = "approximate_number_of_messages" + name
    setattr(Queue, name, counted(getattr(Queue, name)))


def send_message_batch(*args, **kwargs):
    global is_sending
    with alone:
        is_sending = True
        try:
            return send_all(*args, **kwargs)
        finally:
            is_sending = False


def receive_message(self, queue_name, count, wait_seconds_timeout, *args, **kwargs):
    global moment
    until = time.monotonic() + wait_seconds_timeout
    while True:
        with alone:
            moment = time.time() * 1000
            try:
                queue = self.get_queue(queue_name)
                for message in list(queue.pending_messages):
                    if message.visible:
                        queue.pending_messages.discard(message)
                messages = receive(self, queue_name, count, 0, *args, **kwargs)
            finally:
                moment = None
        if messages or time.monotonic() >= until:
            return messages
        time.sleep(0.05)


def one_by_one(method):
    def locked(*args, **kwargs):
        with alone:
            return method(*args, **kwargs)

    return locked


SQSBackend.receive_message = receive_message
SQSBackend.delete_message = one_by_one(delete)
SQSBackend.change_message_visibility = one_by_one(change)
SQSBackend.send_message_batch = send_message_batch
Queue.pending_message_groups = property(
    lambda self: {
        message.group_id
        for message in self._pending_messages
        if message.group_id is not None and not message.visible
    }
)

logging.disable(logging.CRITICAL)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(json.dumps({"port": server.get_host_and_port()[1]}), flush=True)
sys.stdin.read()
