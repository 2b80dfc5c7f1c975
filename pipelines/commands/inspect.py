"""The command that opens a run in a browser."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

from seiryu.pipelines.commands.checks import begun
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.telling.screen import out, say


def inspect_command(run: str, host: str, port: int) -> int:
    """Serve the page until Ctrl-C. The address, with its token, is the one line on stdout."""
    from seiryu.pipelines.inspecting.server import address, application, bound, is_loopback, names, new_token, serve, warm

    token = os.environ.get("SEIRYU_INSPECT_TOKEN") or new_token()
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,200}", token):
        raise ConfigError(
            "SEIRYU_INSPECT_TOKEN: 16 or more letters, digits, - and _ are wanted, so that it can stand in an address"
        )
    listening = bound(host, port)
    port = listening.getsockname()[1]
    app = application(token, names(host), port)
    warm()
    from seiryu.pipelines.inspecting.looking import Looked, look_at

    looked = Looked(begun(run), _gathering)
    look_at(looked)
    say(f"{looked.facts.documents:,} judged documents" + (f"; {looked.facts.note}" if looked.facts.note else ""))
    if not is_loopback(host):
        say("everybody who reaches this address and has its token sees the run; the way there is not encrypted")
    listening.listen(128)
    out.print(address(host, port, token), markup=False)
    sys.stdout.flush()
    say("open it in a browser; Ctrl-C ends")
    with suppress(KeyboardInterrupt):
        serve(listening, app)
    return 0


def _gathering(done: int, total: int) -> None:
    say(f"gathering the tables of {total:,} archives: {done:,}")
