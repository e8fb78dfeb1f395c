"""The tiny run of the trials: the bundled digits for 150 steps across a stage switch, in two or three seconds."""

STEPS = 150
LAST = f"step-{STEPS:09d}"
TIMEOUT = 5  # seconds: distribution.timeout
RANKS = (1, 2, 3)
# How much two numbers of ranks may differ, as they sum in another order.
ROUNDING = {"float32": 1e-5, "bfloat16": 0.05}
SETTINGS = [
    "threads=1", "model={width: 32, heads: 2, depth: [1, 2, 1], patch: 1, side: 8, channels: 1, classes: 10}",
    "stages[0].steps=90", "stages[1].steps=60", "stages[0].batch=24", "stages[1].batch=24",
    "stages[0].learning_rate=5.0e-5", "stages[1].learning_rate=5.0e-5", "stages[0].warmup=10", "stages[1].warmup=10",
    "checkpoint={interval: 10, keep: 3}", "validation={interval: 25, samples: 60}",
    "samples={interval: 50, per_class: 1, steps: 60}", f"distribution.timeout={TIMEOUT}", "log.interval=1",
]


def words(settings):
    """The settings as words of a command line."""
    return [word for setting in settings for word in ("--set", setting)]


def write_configuration(checkout, path, precision):
    """Writes the configuration of the digits with absolute paths of its data."""
    text = (checkout / "configs/digits.yaml").read_text()
    path.write_text(text.replace("configs/data/", f"{checkout}/configs/data/") + f"\nprecision: {precision}\n")
    return path
