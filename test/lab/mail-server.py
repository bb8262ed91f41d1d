"""An SMTP server of Debian's python3-aiosmtpd, for tests: STARTTLS and AUTH as user "mes", password "secret".

usage: mail-server.py PORT CERT KEY starttls|plain

Prints "up", then one line of JSON a mail. Recipients later*@ are greylisted the first time; nobody*@ do not exist.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

PORT, CERT, KEY, MODE = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


class Handler:
    def __init__(self):
        self.seen = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        if address.startswith("later") and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 greylisted, come later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "isTls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "text": envelope.content.decode("utf8", "replace"),
        }
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 kept"


def authenticate(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"mes", b"secret")
    return AuthResult(success=is_right, auth_data=data if is_right else None, handled=False)


has_tls = MODE == "starttls"
context = None
if has_tls:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERT, KEY)
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=PORT,
    tls_context=context,
    require_starttls=has_tls,
    authenticator=authenticate,
    auth_required=has_tls,
    auth_require_tls=has_tls,
)
controller.start()
print("up", flush=True)
asyncio.new_event_loop().run_forever()
