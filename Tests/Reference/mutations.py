"""Feeds crafted files to the program and shows that none of them can hurt.

    mutations.py --sprint PATH --work FOLDER [--seed N] [--count 200] [--kind NAME]

Each mutation of an HDF5 attribute, a data set's header, a checkpoint, an npz, an LMDB or an event file goes to the
commands that read such a file. No command may end by a signal or take more than a minute, none may take more memory
than for the good file plus the file's size plus 100 MB, and no content of another file may get into an output, unless
the command names that file. Prints a table and the failures, whose files stay in FOLDER, and exits with 1 if there are
any. Needs h5py, numpy and lmdb.
"""

import argparse
import hashlib
import io
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter, namedtuple
from pathlib import Path

import h5py
import lmdb
import numpy

ROOT = Path(__file__).resolve().parents[2]
SLACK = 100 << 20  # bytes beyond the good file's peak and the file's size
SECONDS = 60
TEXT = b"THIS-IS-A-SECRET-OF-ANOTHER-FILE"
NUMBER = 9.328125  # exact in every float type, and in none of the good files
NAMES = {"secret.bin", "secret.h5", "linked.h5", "fitting.h5"}
# A small process starts the commands: the peak memory of a command includes that of the process that it is forked from.
STARTER = """
import json, os, signal, sys
for line in sys.stdin:
    command, log, seconds = json.loads(line)
    child = os.fork()
    if child == 0:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0), os.dup2(file, 1), os.dup2(file, 2)
        os.execv(command[0], command)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(seconds)
    _, status, usage = os.wait4(child, 0)
    signal.alarm(0)
    print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024]), flush=True)
"""
MODEL = [
    "model={width: 16, heads: 2, depth: [1, 1, 1], patch: 2, side: 8, channels: 1, classes: 10}", "threads=1",
    "stages[0].steps=4", "stages[1].steps=4", "stages[0].batch=4", "stages[1].batch=4", "stages[0].warmup=1",
    "stages[1].warmup=1", "checkpoint={interval: 2, keep: 2}", "samples={interval: 100, per_class: 1, steps: 2}",
    "validation={interval: 100, samples: 8}",
]

Result = namedtuple("Result", "code peak log")


class Program:
    """The program under test."""

    def __init__(self, path, work):
        self.path, self.work = str(Path(path).resolve()), work
        self.starter = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=ROOT)

    def run(self, *arguments):
        log = self.work / "log"
        self.starter.stdin.write(json.dumps([[self.path, *map(str, arguments)], str(log), SECONDS]) + "\n")
        self.starter.stdin.flush()
        code, peak = json.loads(self.starter.stdout.readline())
        return Result(code, peak, log.read_bytes())


# Secrets

def make_secrets(folder):
    """Files that no output may show: raw numbers with text, and HDF5 files that lead to them."""
    secret = numpy.full(1 << 16, NUMBER, "<f4").tobytes() + TEXT * 512
    (folder / "secret.bin").write_bytes(secret)
    with h5py.File(folder / "secret.h5", "w") as file:
        for name in ["moments", "latents", "a"]:
            file[name] = numpy.full((16, 2, 8, 8), NUMBER, "<f4")
        file["text"] = TEXT
        file["weights"] = numpy.full(1 << 16, NUMBER, "<f4")
    with h5py.File(folder / "linked.h5", "w") as file:
        file.create_dataset("a", (1 << 16,), "<f4", external=[(str(folder / "secret.bin"), 0, 1 << 18)])
        file["link"] = h5py.ExternalLink(str(folder / "secret.h5"), "/a")


def shows_secret(contents):
    patterns = [numpy.full(6, NUMBER, kind).tobytes() for kind in ["<f2", "<f4", "<f8"]]
    return any(pattern in contents for pattern in [TEXT[:16], str(NUMBER).encode(), *patterns])


# What a file is changed with

def flip(contents, dice, places, count=None):
    """Changes some bytes among `places`."""
    contents = bytearray(contents)
    for _ in range(count or dice.choice([1, 1, 1, 2, 4])):
        place = dice.choice(places)
        if place < len(contents):
            contents[place] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, contents[place] ^ 1 << dice.randrange(8),
                                           dice.randrange(256)])
    return bytes(contents)


def odd_type(dice):
    return numpy.dtype(dice.choice([
        "<f2", "<f4", "<f8", ">f4", ">f8", "i1", "<i4", ">i8", "<u8", "S1", "S7", "S4000", "V16", "<c8", "?",
        [("a", "<f4"), ("b", "<i8")], ("<f4", (3,)), h5py.enum_dtype({"a": 1}, "i4"), h5py.vlen_dtype("<f4"),
        h5py.string_dtype(), h5py.string_dtype("ascii"), h5py.ref_dtype]))


def odd_values(dice, kind, shape):
    """Values of a type, or None where zeros will do."""
    if kind.kind == "f":
        numbers = [0, 1, -1, numpy.nan, numpy.inf, -numpy.inf, 3e38, 1e-40, 0.5, 2**53, 255, 65504]
        with numpy.errstate(over="ignore"):
            values = numpy.array([dice.choice(numbers) for _ in range(int(numpy.prod(shape)))])
            return values.reshape(shape).astype(kind)
    if kind.kind in "iu" and kind.metadata is None:
        return numpy.random.default_rng(dice.randrange(99)).integers(0, 127, shape).astype(kind)
    return None


def odd_attribute(place, name, dice):
    kind, shape = odd_type(dice), dice.choice([(), (1,), (2,), (0,), (7,), (64,), (2, 3), (3000,)])
    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    made = h5py.h5a.create(place._id, name.encode(), h5py.h5t.py_create(kind, logical=True), space)
    values = odd_values(dice, kind, shape)
    if values is not None:
        made.write(values)


def text_attribute(place, name, dice):
    text = dice.choice([b"pixels", b"\xff\xfe\x80", b"a" * 5000, b"%s%n%s", b"{}", b"-1", b"1e999"])
    place.create(name, text, dtype=dice.choice([h5py.string_dtype("utf-8"), h5py.string_dtype("ascii"), "S5", None]))


def texts_attribute(place, name, dice):
    texts = numpy.array(["b" * dice.choice([1, 9, 300])] * dice.choice([2, 5, 40]), object)
    place.create(name, texts, dtype=h5py.string_dtype())


def empty_attribute(place, name, dice):
    place.create(name, h5py.Empty(dice.choice(["<f4", "S5", "<i8"])))


def change_attribute(place, name, dice):
    """Replaces an attribute by one of another type, shape or content."""
    while True:
        if name in place:
            del place[name]
        try:
            return dice.choice([odd_attribute, odd_attribute, text_attribute, texts_attribute, empty_attribute])(
                place, name, dice)
        except (ValueError, OSError, RuntimeError, TypeError):
            continue  # The library refuses to write this one; another.


def other_type(file, name, good, dice, _):
    file.create_dataset(name, good.shape, odd_type(dice))


def other_shape(file, name, good, dice, _):
    shape = good.shape
    others = [(), (0,), shape + (1,), shape[:-1], shape[::-1], (1,) * 32, (good.size,)]
    file.create_dataset(name, dice.choice(others), "<f4")


def filtered(file, name, good, dice, _):
    filters = dice.choice([{"compression": "gzip"}, {"shuffle": True}, {"fletcher32": True}, {"compression": "lzf"},
                           {"scaleoffset": 3}, {"maxshape": (None,) * good.ndim}])
    chunk = tuple(max(1, min(extent, dice.choice([1, 2, 7, extent]))) for extent in good.shape)
    file.create_dataset(name, data=good, chunks=chunk, **filters)


def unknown_filter(file, name, good, dice, _):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk(good.shape)
    properties.set_filter(dice.choice([306, 32017, 65535]), h5py.h5z.FLAG_OPTIONAL, (1, 2**31, 3))
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(good.shape), properties)


def claimed(file, name, good, dice, _):
    """Extents beyond all that was written."""
    some = tuple(dice.choice([extent, 1, 2**31, 2**33, 10**6, 0]) for extent in good.shape)
    tall = (dice.choice([2**20, 2**27, 2**31, 2**40]),) + good.shape[1:]
    extents = dice.choice([some, tall])
    chunks = tuple(max(1, min(extent, 64)) for extent in extents) if dice.random() < 0.5 else None
    made = file.create_dataset(name, extents, dice.choice(["<f4", "<i8", "<f2"]), chunks=chunks)
    if chunks and made.size and dice.random() < 0.5:
        made[(slice(0, 1),) * made.ndim] = 1


def compressed(file, name, good, dice, _):
    """Zeros: much out of little."""
    rows = dice.choice([1 << 18, 1 << 22, 1 << 26]) // max(1, int(numpy.prod(good.shape[1:])))
    piece = numpy.zeros((min(rows, 1 << 12),) + good.shape[1:], good.dtype)
    made = file.create_dataset(name, (rows,) + good.shape[1:], good.dtype, compression="gzip", chunks=piece.shape)
    for row in range(0, rows - len(piece) + 1, len(piece)):
        made[row:row + len(piece)] = piece


def soft_link(file, name, good, dice, _):
    file[name] = h5py.SoftLink(dice.choice([name, "/", "/nothing", "/labels"]))


def external_storage(file, name, good, dice, secrets):
    sizes = dice.choice([good.size * 4, good.size * 4, good.size * 8, 2**40, h5py.h5f.UNLIMITED])
    file.create_dataset(name, good.shape, "<f4", external=[(str(secrets / "secret.bin"), dice.choice([0, 4]), sizes)])


def external_claim(file, name, good, dice, secrets):
    """More than the other file holds."""
    rows = dice.choice([2**20, 2**27, 2**33])
    file.create_dataset(name, (rows,) + good.shape[1:], dice.choice(["<f4", "<i8"]),
                        external=[(str(secrets / "secret.bin"), 0, h5py.h5f.UNLIMITED)])


def external_link(file, name, good, dice, secrets):
    other = dice.choice([("secret.h5", "/a"), ("secret.h5", "/weights"), ("linked.h5", "/a"), ("linked.h5", "/link"),
                         ("nothing.h5", "/a")])
    file[name] = h5py.ExternalLink(str(secrets / other[0]), other[1])


def fitting_link(file, name, good, dice, secrets):
    """An external link to numbers of the right shape, at once or by way of a link within the file."""
    fitting = secrets / "fitting.h5"
    with h5py.File(fitting, "w") as other:
        other.create_dataset("a", data=numpy.full(good.shape, NUMBER, "<f4"))
    if dice.random() < 0.5:
        file[name] = h5py.ExternalLink(str(fitting), "/a")
    else:
        file["outside"] = h5py.ExternalLink(str(fitting), "/")
        file[name] = h5py.SoftLink("/outside/a")


def virtual(file, name, good, dice, secrets):
    layout = h5py.VirtualLayout(good.shape, "<f4")
    source = dice.choice([("secret.h5", "weights"), ("linked.h5", "a")])
    layout[...] = h5py.VirtualSource(str(secrets / source[0]), source[1], (1 << 16,))[:good.size]
    file.create_virtual_dataset(name, layout, fillvalue=0)


CHANGES = [other_type, other_shape, filtered, unknown_filter, claimed, claimed, compressed, soft_link, external_storage,
           external_claim, external_link, fitting_link, fitting_link, virtual, virtual]


def change_dataset(file, name, dice, secrets):
    """Replaces a data set by one of another type, shape, layout, claim or place. Returns how."""
    good = file[name][()]
    good = good if isinstance(good, numpy.ndarray) else numpy.zeros((1,), "S1")
    while True:
        change = dice.choice(CHANGES)
        if name in file:
            del file[name]
        try:
            change(file, name, good, dice, secrets)
            return change.__name__
        except (ValueError, OSError, RuntimeError, TypeError, IndexError):
            continue  # The library refuses to write this one; another.


def flip_header(path, name, dice):
    """Changes bytes of the object header of a data set."""
    with h5py.File(path) as file:
        found = file.get(name)
        place = h5py.h5o.get_info((found if found is not None else file).id).addr
    contents = path.read_bytes()
    path.write_bytes(flip(contents, dice, range(place, place + dice.choice([40, 120, 300]))))


def claim(path, dice):
    """Replaces an extent or a size, wherever it stands in the file, by another."""
    contents = path.read_bytes()
    with h5py.File(path) as file:
        name = dice.choice([name for name in file if isinstance(file[name], h5py.Dataset)])
        numbers = [*file[name].shape, file[name].id.get_storage_size()]
    old = dice.choice(numbers).to_bytes(8, "little")
    new = dice.choice([0, 1, 2**20, 2**31, 2**33, 2**40, 2**63, 2**64 - 1]).to_bytes(8, "little")
    places = [match.start() for match in re.finditer(re.escape(old), contents)]
    for place in places if dice.random() < 0.5 else places[:1]:
        contents = contents[:place] + new + contents[place + 8:]
    path.write_bytes(contents)


# The kinds of files

class Kind:
    """Makes good and changed files of one kind and runs the commands that read them."""

    def __init__(self, program, secrets, work):
        self.program, self.secrets, self.work = program, secrets, work
        self.prepare()

    def prepare(self):
        """Makes what all files of this kind need."""


def write_latents(path, moments=True):
    noise = numpy.random.default_rng(1)
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file["moments" if moments else "latents"] = noise.random((16, 2 if moments else 1, 8, 8), "<f4") + 0.5
        file["labels"] = numpy.arange(16) % 10
        file.attrs.update({"scale": [1.0], "shift": [0.0], "kind": "latents", "pixel_range": [-1.0, 1.0], "vae": "none",
                           "source": "made up"})


class Attribute(Kind):
    """An attribute of a data set: `inspect` reads all of them."""

    names = ["scale", "shift", "kind", "pixel_range", "vae", "source"]

    def make(self, folder, dice):
        path = folder / "latents.h5"
        write_latents(path)
        if dice is None:
            return
        name = dice.choice(self.names)
        if dice.random() < 0.7:
            with h5py.File(path, "r+") as file:
                change_attribute(file.attrs, name, dice)
        if dice.random() < 0.5:
            contents = path.read_bytes()
            place = contents.find(name.encode() + b"\0")
            path.write_bytes(flip(contents, dice, range(max(0, place - 16), place + dice.choice([24, 80]))))

    def commands(self, folder, _):
        yield "inspect", folder / "latents.h5", "--preview", folder / "out" / "preview.png", "--json"


class Header(Kind):
    """The header of a data set, of latents for training or of a source to import."""

    def make(self, folder, dice):
        path = folder / "latents.h5"
        self.is_source = dice is not None and dice.random() < 0.4
        self.moments = dice is None or dice.random() < 0.5
        if dice is None or self.is_source:
            self.write_source(folder / "source.h5")
        if self.is_source:
            path, names = folder / "source.h5", ["00000/img-mean-std-00000000.npy", "dataset.json"]
        else:
            write_latents(path, self.moments)
            names = ["moments" if self.moments else "latents", "labels"]
        if dice is None:
            return
        name = dice.choice([names[0], names[0], names[1]])
        if dice.random() < 0.65:
            with h5py.File(path, "r+", libver=("earliest", "v110")) as file:
                change_dataset(file, name, dice, self.secrets)
        elif dice.random() < 0.4 and not self.is_source:
            claim(path, dice)
        else:
            flip_header(path, name, dice)

    @staticmethod
    def write_source(path):
        with h5py.File(path, "w", libver=("earliest", "v110")) as file:
            names = [f"00000/img-mean-std-{i:08}.npy" for i in range(4)]
            for name in names:
                file[name] = numpy.random.default_rng(1).random((8, 8, 8), "<f4") + 0.5
            file["dataset.json"] = json.dumps({"labels": [[name, 1] for name in names]})

    def commands(self, folder, dice):
        if dice is None or self.is_source:
            yield ("import", "--from", "repa-e", "--dtype", "f32", "--multiplier", "1", "--statistics",
                   self.work / "statistics.npz", folder / "source.h5", folder / "out" / "imported.h5", "--threads", "1")
        if dice is None or not self.is_source:
            yield "inspect", folder / "latents.h5", "--preview", folder / "out" / "preview.png"

    def prepare(self):
        ones = numpy.ones((1, 4, 1, 1), "<f4")
        numpy.savez(self.work / "statistics.npz", mean=0 * ones, std=ones)


class Checkpoint(Kind):
    """A checkpoint whose manifest is valid."""

    def prepare(self):
        self.run = train(self.program, self.work / "run", "--until", "2")

    def make(self, folder, dice):
        shutil.copytree(self.run, folder / "run")
        path = folder / "run/checkpoints/step-000000002.h5"
        if dice is None:
            return
        if dice.random() < 0.7:  # In the older format no checksum guards the headers.
            rewritten = path.with_suffix(".new")
            with h5py.File(path) as old, h5py.File(rewritten, "w", libver=("earliest", "v110")) as new:
                for name in old:
                    old.copy(name, new)
                for name, value in old.attrs.items():
                    new.attrs[name] = value
            rewritten.rename(path)
        self.change(path, dice)
        contents = path.read_bytes()
        manifest = {"file": path.name, "fingerprint": {"sha256": hashlib.sha256(contents).hexdigest(),
                                                       "size": len(contents)}}
        text = json.dumps(manifest, indent=2, sort_keys=True).replace('": ', '" : ')
        path.with_name("step-000000002.manifest.json").write_text(text)

    def change(self, path, dice):
        way = dice.randrange(10)
        with h5py.File(path, "r+") as file:
            weights = []
            file["ema"].visititems(lambda name, item: weights.append(f"ema/{name}") if hasattr(item, "shape") else None)
            name = dice.choice(weights)
            attribute = dice.choice(list(file.attrs))
            if way < 3:
                change_attribute(file.attrs, attribute, dice)
            elif way < 7:
                change_dataset(file, name, dice, self.secrets)
            elif way == 7:
                text = file.attrs["configuration"]
                text = text.decode() if isinstance(text, bytes) else str(text)
                number = dice.choice([match.span() for match in re.finditer(r"\d+", text)])
                new = dice.choice(["0", "-1", "65536", "99999999", "9223372036854775807", "1e308", "[]", "[" * 500,
                                   "18446744073709551615", ".nan", "&a [*a, *a]"])
                del file.attrs["configuration"]
                file.attrs["configuration"] = numpy.bytes_((text[:number[0]] + new + text[number[1]:]).encode())
        if way == 8:
            flip_header(path, dice.choice([name, "ema", "/"]), dice)
        elif way == 9:
            contents = path.read_bytes()
            path.write_bytes(flip(contents, dice, range(min(len(contents), dice.choice([96, 4096, len(contents)])))))

    def commands(self, folder, dice):
        sample = ("sample", "--run", folder / "run", "--count", "1", "--steps", "1", "--threads", "1", "--out",
                  folder / "out" / "samples.h5")
        export = ("export", "--run", folder / "run", folder / "out" / "weights.safetensors")
        inspect = ("inspect", folder / "run/checkpoints/step-000000002.h5")
        yield from [sample, export, inspect] if dice is None else [dice.choice([sample, inspect]), export]


class NPZ(Kind):
    """Archives of arrays: samples or statistics of an import."""

    def arrays(self):
        return {"moments": numpy.random.default_rng(1).standard_normal((8, 8, 8), "<f4")}

    def make(self, folder, dice):
        (folder / "mar/n01").mkdir(parents=True)
        for i in range(3):
            (numpy.savez_compressed if i else numpy.savez)(folder / f"mar/n01/{i}.npz", **self.arrays())
        if dice is None:
            return
        path = folder / "mar/n01/0.npz"
        way = dice.randrange(6)
        if way == 0:
            path.write_bytes(flip(path.read_bytes(), dice, range(path.stat().st_size)))
        elif way == 1:  # The directory at the end.
            size = path.stat().st_size
            path.write_bytes(flip(path.read_bytes(), dice, range(size - 100, size)))
        elif way == 2:
            path.write_bytes(flip(path.read_bytes(), dice, range(60)))
        else:
            self.write_archive(path, dice, way)

    def write_archive(self, path, dice, way):
        entry = io.BytesIO()
        numpy.save(entry, self.arrays()["moments"])
        array = entry.getvalue()
        if way == 3:  # The header of the array, with a valid checksum around it.
            shape = dice.choice(["(8, 8, 2**9)", "(8, 8, 99999999999)", "(-1, 8, 8)", "()", "(8, 8, 8, 0)", "(" * 40,
                                 "(4611686018427387904, 4, 4)", "(8, 8)", "8", "(8, 8, 8.5)"])
            kind = dice.choice(["<f4", "|O", ">f8", "<c16", "|S4000000000", "<f99999999999", "<M8[s]", "{}", "<i0"])
            text = array[10:128].decode("latin1")
            text = text.replace("(8, 8, 8)", shape) if dice.random() < 0.6 else text.replace("<f4", kind)
            array = array[:8] + len(text).to_bytes(2, "little") + text.encode("latin1") + array[128:]
        elif way == 4:
            array = dice.choice([b"", array[:60], flip(array, dice, range(128)), array + b"x", array[:-1]])
        else:  # Much out of little.
            array = b"\0" * dice.choice([1 << 20, 64 << 20, 300 << 20])
        names = dice.choice([["moments.npy"], ["moments.npy", "../../x.npy"], ["moments.npy"] * 2, ["/moments.npy"], [],
                             ["moments.npy", "moments_flip.npy"], ["m" * 60000]])
        with zipfile.ZipFile(path, "w", dice.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
                             if way < 5 else zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, array)
        if dice.random() < 0.3:
            path.write_bytes(flip(path.read_bytes(), dice, range(path.stat().st_size)))

    def commands(self, folder, _):
        yield "import", "--from", "mar", folder / "mar", folder / "out" / "imported.h5", "--threads", "1"


class Database(Kind):
    """LMDB databases."""

    def make(self, folder, dice):
        with lmdb.open(str(folder / "lmdb"), map_size=1 << 24) as environment, environment.begin(write=True) as write:
            write.put(b"length", b"3")
            for i in range(3):
                write.put(f"z-{i}".encode(), numpy.random.default_rng(i).standard_normal((8, 8, 8), "<f4").tobytes())
                write.put(f"y-{i}".encode(), b"1")
        path = folder / "lmdb/data.mdb"
        if dice is None:
            return
        contents = path.read_bytes()
        way = dice.randrange(5)
        page = 4096 * dice.randrange(max(1, len(contents) // 4096))
        if way == 0:
            contents = contents[:dice.choice([0, 1, 4096, 8192, len(contents) - 1, len(contents) - 4096])]
        elif way == 1:  # Both pages of the database's own description.
            contents = flip(contents, dice, [*range(160), *range(4096, 4256)])
        elif way == 2:
            contents = flip(contents, dice, range(page, page + 48))
        elif way == 3:  # Nodes lie at the end of a page.
            contents = flip(contents, dice, range(page, page + 4096), count=8)
        else:
            place = dice.choice([match.start() for match in re.finditer(rb"[zy]-\d|length", contents)])
            contents = flip(contents, dice, range(max(0, place - 8), place + 8))
        path.write_bytes(contents)

    def commands(self, folder, _):
        yield "import", "--from", "maskdit", folder / "lmdb", folder / "out" / "imported.h5", "--threads", "1"


class Events(Kind):
    """TensorBoard's event files in the folder of a run that goes on, and its report."""

    def prepare(self):
        self.run = train(self.program, self.work / "run-of-events", "--until", "2")

    def make(self, folder, dice):
        shutil.copytree(self.run, folder / "run")
        if dice is None:
            return
        path = next((folder / "run/tensorboard").iterdir())
        contents = path.read_bytes()
        way = dice.randrange(6)
        if way == 0:
            path.write_bytes(flip(contents, dice, range(len(contents))))
        elif way == 1:
            path.write_bytes(contents[:dice.randrange(len(contents))])
        elif way == 2:  # A length with a valid checksum.
            head = dice.choice([0, 1, 2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 16]).to_bytes(8, "little")
            path.write_bytes(contents[:40] * dice.randrange(2) + head + checksum(head) + contents[12:])
        elif way in (3, 4):
            path.write_bytes(b"".join(record(flip(event, dice, range(len(event))) if dice.random() < 0.5 else event[:3])
                                      for event in events(contents)))
        else:
            path.unlink()
            odd = dice.randrange(3)
            if odd == 0:
                path.symlink_to(self.secrets / "secret.bin")
            elif odd == 1:
                path.mkdir()
            else:
                os.mkfifo(path)

    def commands(self, folder, _):
        yield training(folder / "run", "--until", "3")
        yield "report", folder / "run", "--out", folder / "out" / "report.html"


CASTAGNOLI = [0] * 256
for _byte in range(256):
    _value = _byte
    for _ in range(8):
        _value = _value >> 1 ^ (0x82F63B78 if _value & 1 else 0)
    CASTAGNOLI[_byte] = _value


def checksum(contents):
    value = 0xFFFFFFFF
    for byte in contents:
        value = CASTAGNOLI[(value ^ byte) & 255] ^ value >> 8
    value ^= 0xFFFFFFFF
    return (((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")


def record(contents):
    head = len(contents).to_bytes(8, "little")
    return head + checksum(head) + contents + checksum(contents)


def events(contents):
    while contents:
        length = int.from_bytes(contents[:8], "little")
        yield contents[12:12 + length]
        contents = contents[16 + length:]


def training(folder, *arguments):
    settings = itertools.chain.from_iterable(("--set", setting) for setting in MODEL)
    return ("train", "--config", "configs/digits.yaml", "--run", folder, "--resume", "auto", *settings, *arguments)


def train(program, folder, *arguments):
    done = program.run(*training(folder, *arguments))
    if done.code != 0:
        sys.exit(f"training for the good checkpoint ended with {done.code}: {done.log.decode()}")
    return folder


KINDS = {"attribute": Attribute, "header": Header, "checkpoint": Checkpoint, "npz": NPZ, "lmdb": Database,
         "events": Events}


# Judging

def size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def outputs(folder):
    """What a command wrote: files of their own, and the run's log."""
    for path in [*(folder / "out").rglob("*"), folder / "run/metrics.jsonl", folder / "run/report.html"]:
        if path.is_file():
            yield path


def wrong(result, folder, baseline, allowed):
    """What a command did that no file may make it do."""
    if result.code < 0:
        yield f"signal {-result.code}" + (" (a minute is over)" if result.code == -9 else "")
    if result.peak > baseline + allowed:
        yield f"{result.peak >> 20} MB, a good file takes {baseline >> 20}"
    if not any(name.encode() in result.log for name in NAMES):
        yield from (f"content of another file in {path.name}" for path in outputs(folder)
                    if shows_secret(path.read_bytes()))
    if shows_secret(result.log):
        yield "content of another file in a message"


def attack(name, program, arguments, secrets):
    """Runs all mutations of a kind and returns the row of the table and the failures."""
    work = program.work / name
    work.mkdir()
    kind = KINDS[name](program, secrets, work)
    baseline, codes, signals, failures, worst = {}, Counter(), Counter(), [], 0
    for number in [None, *range(arguments.count)]:
        folder = work / ("good" if number is None else f"{number:03}")
        (folder / "out").mkdir(parents=True)
        dice = None if number is None else random.Random(f"{arguments.seed} {name} {number}")
        kind.make(folder, dice)
        allowed, found = size(folder) + SLACK, []
        kept = {path: path.read_bytes() for path in secrets.iterdir()}
        for command in kind.commands(folder, dice):
            result = program.run(*command)
            if number is None:
                baseline[command[0]] = result.peak
                if result.code != 0:
                    sys.exit(f"{name}: {command[0]} of a good file ended with {result.code}: {result.log.decode()}")
                continue
            codes[result.code] += 1
            signals.update([-result.code] if result.code < 0 else [])
            worst = max(worst, result.peak - baseline[command[0]])
            problems = [*wrong(result, folder, baseline[command[0]], allowed)]
            if problems:
                found.append((problems, command, result))
        if any(path.read_bytes() != contents for path, contents in kept.items()):
            found.append((["another file was changed"], command, result))
            for path, contents in kept.items():
                path.write_bytes(contents)
        failures += [(number, *each) for each in found]
        if not found and number is not None:
            shutil.rmtree(folder)
    row = [name, str(arguments.count), counted(codes), counted(signals) or "none", f"{worst / 2**20:.0f} MB"]
    return row, failures


def counted(counter):
    return " ".join(f"{code}: {count}" for code, count in sorted(counter.items()) if code >= 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sprint", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--kind", choices=KINDS)
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    secrets = work / "elsewhere"
    secrets.mkdir(parents=True)
    make_secrets(secrets)
    program = Program(arguments.sprint, work)
    rows, failures = [["kind", "mutations", "exit codes", "signals", "worst peak over the good file"]], []
    for name in [arguments.kind] if arguments.kind else KINDS:
        row, found = attack(name, program, arguments, secrets)
        rows.append(row)
        failures += [(name, *each) for each in found]
    for row in rows:
        print(" | ".join(row))
    for name, number, problems, command, result in failures:
        print(f"\n{name} {number}: {', '.join(problems)}\n  {' '.join(map(str, command))}")
        print("  " + result.log.decode(errors="replace").strip()[-300:])
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
