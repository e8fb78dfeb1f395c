"""What a process says that finds its place taken."""

import re
import socket
from datetime import datetime, timezone

OWNER = re.compile(r"in use by process (\d+) on host (\S+) since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


def refusal_problem(text, pid=None, began=None, host=None):
    """What is missing in a refusal, or None: it names process, host and start time of the owner, in one line. With
    `pid` and `began` (a time of `time.time()`) they have to be right."""
    owner = OWNER.search(text)
    if not owner:
        return f"the refusal does not name the owner: {text.strip()[-300:]}"
    if pid is not None and int(owner[1]) != pid:
        return f"the refusal names process {owner[1]}, the owner is {pid}"
    if owner[2] != (host or socket.gethostname()):
        return f"the refusal names host {owner[2]}, the owner's is {host or socket.gethostname()}"
    since = datetime.strptime(owner[3], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    if began is not None and not began - 2 <= since <= began + 30:
        return f"the refusal names {owner[3]}, the owner began {since - began:+.0f} s from it"
    return None
