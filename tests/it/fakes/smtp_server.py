"""A mail server for tests: aiosmtpd on a free port of the loopback.

Prints JSON lines: first {"port": ...}, then each message that it took. A line on stdin is
answered with {"sync": ...}, after everything that was taken before it. Ends with stdin.

The recipient's name chooses what happens:
  busy@    451 at RCPT           nobody@  550 at RCPT      deaf@   no answer at RCPT
  full@    452 after the message spam@    554 after it     silent@ no answer after it
  cut@     hangs up after it
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def say(line):
    print(json.dumps(line), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "busy":
            return "451 4.2.1 Mailbox busy, try again later"
        if name == "nobody":
            return "550 5.1.1 No such user"
        if name == "deaf":
            await asyncio.Event().wait()
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        names = {address.split("@")[0] for address in envelope.rcpt_tos}
        if "full" in names:
            return "452 4.3.1 Insufficient system storage"
        if "spam" in names:
            return "554 5.7.1 Message refused"
        say(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "raw": envelope.content.decode("utf-8", "surrogateescape"),
                "tls": server.transport.get_extra_info("ssl_object") is not None,
                "user": session.auth_data,
                "peer": session.peer[1],
            }
        )
        if "silent" in names:
            await asyncio.Event().wait()
        if "cut" in names:
            server.transport.abort()
        return "250 OK"


def authenticator(username, password):
    def check(server, session, envelope, mechanism, auth_data):
        if auth_data.login.decode() == username and auth_data.password.decode() == password:
            return AuthResult(success=True, auth_data=username)
        return AuthResult(success=False, handled=False)

    return check


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--security", choices=["plain", "starttls", "tls"], default="plain")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--username")
    parser.add_argument("--password")
    args = parser.parse_args()

    context = None
    if args.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert, args.key)
    options = {"hostname": "mail.test", "enable_SMTPUTF8": True}
    if args.security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if args.username:
        options |= {
            "auth_required": True,
            "auth_require_tls": args.security == "starttls",
            "authenticator": authenticator(args.username, args.password),
        }

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Handler(), loop=loop, **options),
        host="127.0.0.1",
        port=0,
        ssl=context if args.security == "tls" else None,
    )
    say({"port": server.sockets[0].getsockname()[1]})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        say({"sync": line.strip()})


# Clients that give up are what the tests are about, not worth a traceback each.
logging.disable(logging.CRITICAL)
asyncio.run(main())
