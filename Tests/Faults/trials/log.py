"""metrics.jsonl, read without sprint."""

import json

KEYS = ("loss", "validation_loss")


def entries(path):
    """The lines as objects, and what is wrong with them."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return [], [f"metrics.jsonl: {error}"]
    found, problems = [], []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            found += [json.loads(line)] if line else []
        except ValueError:
            problems.append(f"metrics.jsonl:{number} is no JSON: {line[:60]!r}")
    if data and not data.endswith(b"\n"):
        problems.append("metrics.jsonl ends within a line")
    return found, problems[:5]


def losses(path):
    """Losses and validation losses as (step, value) in the file's order, and what is wrong with its lines."""
    found, problems = entries(path)
    own = {key: [(entry.get("step"), entry[key]) for entry in found if key in entry] for key in KEYS}
    return own, problems


def last_step(path):
    """The last step with a loss, or 0."""
    return max((step for step, _ in losses(path)[0]["loss"]), default=0)
