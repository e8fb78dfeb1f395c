"""Sources as people have them: with junk beside the samples, tables of other programs, odd zips, broken samples.

    odd_sources.py make FOLDER

writes sources and prints a list of cases: the import's arguments, its exit code, what it must say, and, for imports
that succeed, the numbers of the samples in order, their classes, and whether mirrored images come along.

    odd_sources.py check LIST.json

compares imports with what they should hold: a list of `name`, `file` and `wanted`. Sample i is full of i + 1.
"""
import io
import json
import os
import shutil
import sys
import zipfile

import h5py
import lmdb
import numpy as np
from safetensors.numpy import save_file

S = 8
CASES = []
APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "


def case(name, arguments, told=(), samples=None, labels=None, flip=False, code=0, **attributes):
    wanted = samples and {"samples": list(samples), "labels": [int(l) for l in labels], "flip": flip, **attributes}
    CASES.append({"name": name, "arguments": arguments, "told": list(told), "code": 0 if wanted else 2,
        "wanted": wanted})


def moments(i, logvar=False, c=4):
    half = np.full((c, S, S), i + 1, np.float32)
    return np.concatenate([half, np.full((c, S, S), -9 if logvar else 0.5, np.float32)])


def npy(path, array):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    np.save(path, array)


def write(path, data=b"", mode="wb"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode) as f:
        f.write(data)


def names(n=6, prefix="img-mean-std-", width=8):
    return [f"{i // 4:05d}/{prefix}{i:0{width}d}.npy" for i in range(n)]


def table(path, entries):
    write(path, json.dumps({"labels": [[n, l] for n, l in entries]}), "w")


def numbered(folder, n=6, prefix="img-mean-std-", make=moments, entries=None, width=8):
    """Sample i has class 10 + i."""
    for i, name in enumerate(names(n, prefix, width)):
        npy(f"{folder}/{name}", make(i))
    if entries is not False:
        table(f"{folder}/dataset.json", entries or [(m, 10 + i) for i, m in enumerate(names(n, prefix, width))])
    return folder


def synsets(folder, classes, per=2, **more):
    i = 0
    for name in classes:
        for _ in range(per):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
            np.savez(f"{folder}/{name}/{i:05d}.JPEG.npz", moments=moments(i, True), **more)
            i += 1
    return folder


def junk(root):
    m = synsets(f"{root}/mar-junk", ["n01440764", "n01443537", "n01484850"])
    for folder in [".ipynb_checkpoints", "__MACOSX", "lost+found", "$RECYCLE.BIN", "an empty one"]:
        os.makedirs(f"{m}/{folder}")
    write(f"{m}/.ipynb_checkpoints/00000.JPEG-checkpoint.npz", b"x")
    write(f"{m}/n01440764/._00000.JPEG.npz", APPLE)
    for file in ["Thumbs.db", "desktop.ini", ".DS_Store", "n01440764/Thumbs.db"]:
        write(f"{m}/{file}")
    expected = dict(samples=range(6), labels=[0, 0, 1, 1, 2, 2])
    case("mar-junk", [m], [".ipynb_checkpoints", "__MACOSX", "lost+found", "an empty one", "._00000"], **expected)
    m = synsets(f"{root}/mar-plain/.hidden/place/train", ["n01440764", "n01443537", "n01484850"])
    case("mar-below-hidden", ["--from", "mar", m], **expected)
    m = synsets(f"{root}/mar-odd", ["aside", "n01440764", "n01443537"])
    case("mar-odd", [m], ["`aside`", "not named like"], **expected)
    m = synsets(f"{root}/mar-lacking", ["n01440764", "n01443537", "n01484850"])
    os.makedirs(f"{m}/n01443000")
    case("mar-lacking", [m], ["n01443000", "lower classes"], **expected)

    six = dict(samples=range(6), labels=range(10, 16))
    for layout, inner, prefix, make in [
            ("repa", "vae-sd", "img-mean-std-", moments),
            ("speedrun-dit", "vae-in", "img-latents-", lambda i: np.full((4, S, S), i + 1, np.float32))]:
        source = numbered(f"{root}/{layout}-junk/{inner}", prefix=prefix, make=make)
        write(f"{source}/.ipynb_checkpoints/{prefix}00000000-checkpoint.npy", b"x")
        write(f"{source}/00000/._{prefix}00000000.npy", APPLE)
        write(f"{source}/__MACOSX/00000/._{prefix}00000000.npy", APPLE)
        os.makedirs(f"{source}/-first and empty")
        write(f"{source}/00000/Thumbs.db")
        told = [".ipynb_checkpoints", f"._{prefix}00000000.npy", "__MACOSX"]
        case(f"{layout}-junk", [f"{root}/{layout}-junk"], told, **six)
        case(f"{layout}-junk-none", [f"{root}/{layout}-junk", "--labels", "none"], told, range(6), [0] * 6)
    source = numbered(f"{root}/speedrun-renamed", prefix="img-latents-", make=lambda i: np.full((4, S, S), i + 1, "f4"))
    for folder in ["-first and empty", ".cache", "0000"]:
        os.makedirs(f"{source}/{folder}")
    case("speedrun-recognised", [source], [".cache"], **six)

    f = f"{root}/fast-dit-junk"
    for i in range(12):  # without leading zeros: 2 comes before 10
        npy(f"{f}/x_features/{i}.npy", np.full((1, 4, S, S), i + 1, np.float32))
        npy(f"{f}/x_labels/{i}.npy", np.array([i]))
    for file in ["x_features/._0.npy", "x_labels/._0.npy", "x_features/.DS_Store", "x_labels/desktop.ini"]:
        write(f"{f}/{file}", APPLE)
    os.makedirs(f"{f}/.x_features")
    case("fast-dit-junk", [f], ["._0.npy"], range(12), range(12))

    f = f"{root}/lightning-junk"
    shard(f, np.arange(6))
    write(f"{f}/._latents_rank00_shard000.safetensors", APPLE)
    write(f"{f}/.DS_Store", APPLE)
    shard(f, np.arange(6), name="latents_rank00_shard000 (1).safetensors")
    shard(f, np.arange(6), name="old_latents_rank00_shard001.safetensors")
    for folder in ["#snapshot", "#recycle"]:
        shard(f"{f}/{folder}", np.arange(6))
    case("lightning-junk", [f, "--multiplier", "1"],
        ["._latents_rank00", "`#recycle`, `#snapshot`", "`latents_rank00_shard000 (1).safetensors`"],
        range(6), range(6))
    x = np.zeros((6, 4, S, S), np.float32)
    first, third, other = (f"latents_rank{n}.safetensors" for n in ("00_shard000", "00_shard003", "11_shard001"))
    f = f"{root}/lightning-gaps"
    for name in (first, third, other):
        shard(f, np.arange(6), name=name)
    case("lightning-gaps", [f, "--multiplier", "1"], ["rank 0 has shards up to 3, but none with the numbers 1 to 2;",
        "rank 11 has shards up to 1, but none with the numbers 0;"], [*range(6)] * 3, [*range(6)] * 3)
    for kind, flipped, told in [("one", {third}, f"{third}: holds `latents_flip`, which {first} lacks"),
                                ("some", {first, third}, f"{other}: lacks `latents_flip`, which {first} holds")]:
        f = f"{root}/lightning-flips-{kind}"
        for name in (first, third, other):
            shard(f, np.arange(6), name=name, **({"latents_flip": x} if name in flipped else {}))
        case(f"lightning-flips-{kind}", [f, "--multiplier", "1"], [told])
    for kind, made in [("f64", {}), ("f64-flips", {"latents_flip": x.astype("f8")})]:
        shard(f"{root}/lightning-{kind}", np.arange(6), latents=x.astype("f8"), **made)
        case(f"lightning-{kind}", [f"{root}/lightning-{kind}", "--multiplier", "1"],
            ["`latents` is F64 [6, 4, 8, 8], expected F32, F16 or BF16"])
    for label in [-1, -100]:
        shard(f"{root}/lightning{label}", np.arange(6) + label)
        case(f"lightning{label}", [f"{root}/lightning{label}", "--multiplier", "1"],
            [f"label {label}, expected 0 to 999", "labels start at 0", "--labels none"])

    f = f"{root}/mar-order"  # by bytes: Swift's own order takes e and an accent for one letter behind f
    for i, name in enumerate(["e\u0301a", "f", "u\u0308b", "v"]):
        os.makedirs(f"{f}/{name}")
        np.savez(f"{f}/{name}/x.npz", moments=moments(i, True, 16))
    case("mar-order", [f], (), range(4), range(4))

    f = f"{root}/repa-e-junk.h5"
    with h5py.File(f, "w") as h:
        for i, name in enumerate(names()):
            h[name] = moments(i)
        h["__MACOSX/._x"] = 1
        h["00000/._img"] = 1
    case("repa-e-junk", [f, "--labels", "none", "--multiplier", "1"], ["__MACOSX", "00000/._img"], range(6), [0] * 6)


def shard(folder, labels, n=6, latents=None, name="latents_rank00_shard000.safetensors", **more):
    os.makedirs(folder, exist_ok=True)
    x = np.stack([np.full((4, S, S), i + 1, np.float32) for i in range(n)]) if latents is None else latents
    save_file({"latents": x, "labels": labels, **more}, f"{folder}/{name}")


def database(path, z, y, length, **how):
    with lmdb.open(path, map_size=1 << 26, **how) as env, env.begin(write=True) as t:
        for i, (value, label) in enumerate(zip(z, y)):
            t.put(f"z-{i}".encode(), np.ascontiguousarray(value).tobytes())
            t.put(f"y-{i}".encode(), label if isinstance(label, bytes) else str(label).encode())
        t.put(b"length", length if isinstance(length, bytes) else str(length).encode())
    return path


def maskdit(root):
    z = [moments(i, True) for i in range(12)]
    rng = np.random.default_rng(0)
    random = np.concatenate([rng.standard_normal((12, 4, S, S)), np.full((12, 4, S, S), -9)], 1).astype(np.float32)
    mirrored = np.concatenate([random[:6], random[:6, :, :, ::-1]])
    first, classes = dict(samples=range(6), labels=range(6), flip=True), list(range(6))
    d = database(f"{root}/counts-both", z, classes * 2, 12)
    case("maskdit-counts-both", [d], ["`length` 12 counts 6 images", "--mirrored no"], **first)
    case("maskdit-no", [d, "--mirrored", "no"], (), range(12), classes * 2)
    d = database(f"{root}/counts-images", z, classes * 2, 6)
    case("maskdit-counts-images", [d], **first)
    case("maskdit-leave-out", [d, "--mirrored", "yes"], ["`z-6` is there", "leave out --mirrored"])
    d = database(f"{root}/spaces", z, [f" {i}\n".encode() for i in range(12)], b"12\n")
    case("maskdit-spaces", [d], (), range(12), range(12))
    d = database(f"{root}/all-different", z, range(12), 12)
    case("maskdit-all-different", [d], (), range(12), range(12))
    d = database(f"{root}/odd", z, range(11), 11)
    case("maskdit-odd", [d], (), range(11), range(11))
    case("maskdit-odd-yes", [d, "--mirrored", "yes"], ["is odd", "leave out --mirrored"])
    d = database(f"{root}/one-class",
        z[:6] + [(a + 100 * rng.standard_normal(a.shape)).astype(np.float32) for a in z[:6]], [7] * 12, 12)
    case("maskdit-one-class", [d], ["counts 12 images, or 6 and their mirrored ones", "--mirrored yes|no"])
    for answer, count in [("yes", 6), ("no", 12)]:
        case(f"maskdit-one-class-{answer}", [d, "--mirrored", answer], (), range(6), [7] * count, answer == "yes")
    d = database(f"{root}/one-class-mirrored", mirrored, [7] * 12, 12)
    case("maskdit-one-class-mirrored", [d], ["counts 6 images"], [None] * 6, [7] * 6, True)
    for few in ([0, 1, 2], [4, 9]):
        cycle, kind = few * (12 // len(few)), f"maskdit-cycle-{len(few)}"
        d = database(f"{root}/cycle-{len(few)}", random, cycle, 12)
        case(kind, [d], ["counts 12 images, or 6 and their mirrored ones", "--mirrored yes|no"])
        case(f"{kind}-no", [d, "--mirrored", "no"], (), [None] * 12, cycle)
        case(f"{kind}-yes", [d, "--mirrored", "yes"], (), [None] * 6, cycle[:6], True)
        d = database(f"{root}/cycle-mirrored-{len(few)}", mirrored, cycle, 12)
        case(f"{kind}-mirrored", [d], ["counts 6 images"], [None] * 6, cycle[:6], True)
    d = database(f"{root}/unlike", random, [5, 3, 5, 5, 3, 5] * 2, 12)
    case("maskdit-cycle-in-half", [d], ["counts 12 images, or 6", "--mirrored yes|no"])
    d = database(f"{root}/no-cycle", random, [5, 3, 5, 5, 3, 4] * 2, 12)
    case("maskdit-no-cycle", [d], ["counts 6 images"], [None] * 6, [5, 3, 5, 5, 3, 4], True)
    for kind in ["<i8", ">i4"]:
        d = database(f"{root}/packed{kind[1:]}", z, [np.array(i, kind).tobytes() for i in range(12)], 6)
        case(f"maskdit-packed-{kind[1:]}", [d], ["`y-I` are no whole numbers as text", "0000", "such as `207`"])
    for name, length, told in [("text", b"many", "`many`"), ("packed", np.int64(12).tobytes(), "8 bytes (0c00"),
                               ("zero", 0, "`0`")]:
        d = database(f"{root}/length-{name}", z, range(12), length)
        case(f"maskdit-length-{name}", [d], [f"its `length` is {told}", "expected a whole number from 1 on as text"])
    case("repa-mirrored", ["--mirrored", "no", "--from", "repa", f"{root}/repa-junk"], ["leave out --mirrored"])

    os.makedirs(f"{root}/imagenet")
    shutil.copytree(f"{root}/counts-images", f"{root}/imagenet/train")
    os.makedirs(f"{root}/imagenet/.cache")
    case("lmdb-file", [f"{root}/imagenet/train/data.mdb"], **first)
    case("lmdb-parent", [f"{root}/imagenet"], **first)
    case("lmdb-parent-named", ["--from", "maskdit", f"{root}/imagenet"], **first)
    database(f"{root}/one-file.lmdb", z, classes * 2, 6, subdir=False)
    case("lmdb-no-subdir", [f"{root}/one-file.lmdb"], **first)
    shutil.copytree(f"{root}/imagenet", f"{root}/imagenet2")
    shutil.copytree(f"{root}/counts-images", f"{root}/imagenet2/val")
    case("lmdb-several", [f"{root}/imagenet2"], ["holds 2 sources", "`train` (maskdit)", "`val` (maskdit)"])
    six = dict(samples=range(6), labels=range(10, 16))
    numbered(f"{root}/repa-parent/imagenet/vae-sd")
    case("repa-parent", [f"{root}/repa-parent"], (), **six)
    numbered(f"{root}/repa-parents/a/vae-sd")
    numbered(f"{root}/repa-parents/b/vae-sd")
    case("repa-parents", [f"{root}/repa-parents"], ["holds 2 sources", "`a` (repa)", "`b` (repa)"])
    numbered(f"{root}/repa-below/mine")
    case("repa-below", ["--from", "repa", f"{root}/repa-below"], (), **six)
    numbered(f"{root}/beside/vae-sd", entries=False)
    table(f"{root}/beside/dataset.json", [(m, 10 + i) for i, m in enumerate(names())])
    case("table-beside", [f"{root}/beside"], (), **six)


def tables(root):
    six = dict(samples=range(6), labels=range(10, 16))
    pairs = [(m, 10 + i) for i, m in enumerate(names())]

    def listed(name, entries, told=(), **wanted):
        numbered(f"{root}/{name}/vae-sd", entries=entries)
        case(name, [f"{root}/{name}"], told, **wanted)

    def raw(name, text, told):
        numbered(f"{root}/{name}/vae-sd", entries=False)
        write(f"{root}/{name}/vae-sd/dataset.json", text, "w")
        case(name, [f"{root}/{name}"], ["vae-sd/dataset.json", *told])

    listed("table-windows", [(n.replace("/", "\\"), l) for n, l in pairs], **six)
    listed("table-windows-dot", [(".\\" + n.replace("/", "\\\\"), l) for n, l in pairs], **six)
    listed("table-top", [("vae-sd/" + n, l) for n, l in pairs], ["neither it nor any other"])
    listed("table-png", [(n.replace(".npy", ".png"), l) for n, l in pairs[::-1]], ["img-mean-std-00000005.png"], **six)
    listed("table-images", [(n.replace("-mean-std-", "").replace(".npy", ".JPEG"), l) for n, l in pairs],
           ["same number at the end"], **six)
    listed("table-other", [(f"other/{i}.npy", l) for i, (n, l) in enumerate(pairs)],
           ["`labels[0]` names `other/0.npy`", "it holds `00000/img-mean-std-00000000.npy` and 5 more"])
    listed("table-fewer", pairs[:2] + pairs[3:4], ["left aside", "img-mean-std-00000002.npy", "names 3 samples"],
           samples=[0, 1, 3], labels=[10, 11, 13])
    listed("table-twice", pairs + [pairs[2]], ["names `00000/img-mean-std-00000002.npy` twice", "labels[2]",
        "labels[6]"])
    listed("table-twice-dot", pairs + [("./" + pairs[2][0], 1)], ["twice", "labels[2]", "labels[6]"])
    for name, value, found in [
            ("text", "3", '"3", a text'), ("class-name", "tench", '"tench", a text'), ("fraction", 3.5, "3.5"),
            ("null", None, "null"), ("one-hot", [0, 1], "a list of 2"), ("object", {"class": 3}, "a dictionary"),
            ("true", True, "true"), ("large", 2**40, "impossible class 1099511627776")]:
        entries = [(n, value if i >= 4 else l) for i, (n, l) in enumerate(pairs)]
        listed(f"table-{name}", entries, ["labels[4]", "img-mean-std-00000004.npy", found])
    body = json.dumps([list(p) for p in pairs])
    raw("table-list", body, ["is a list", "expected"])
    raw("table-dictionary", json.dumps({"labels": dict(pairs)}), ["`labels` is a dictionary"])
    raw("table-plain-dictionary", json.dumps(dict(pairs)), ["has no `labels`"])
    raw("table-no-class", '{"labels": [["a.npy", 1], ["b.npy"]]}', ["labels[1]", "nothing"])
    raw("table-no-pair", '{"labels": [["a.npy", 1], "b.npy"]}', ["labels[1]", "b.npy"])
    raw("table-turned", '{"labels": [[1, "a.npy"]]}', ["labels[0]", "begins with 1"])
    raw("table-empty", '{"labels": []}', ["is empty"])
    raw("table-cut", body[:40], ["is no JSON"])

    n = numbered(f"{root}/unpadded/vae-sd", 12, width=1, entries=False)
    np.save(f"{root}/twelve.npy", np.arange(12))
    case("labels-unpadded", [f"{root}/unpadded", "--labels", f"{root}/twelve.npy"],
         ["img-mean-std-11.npy", "img-mean-std-8", "not clear", "--labels FILE.json"])
    table(f"{root}/twelve.json", [(m, i) for i, m in enumerate(names(12, width=1))])
    order = sorted(range(12), key=lambda i: names(12, width=1)[i])
    case("labels-paired", [f"{root}/unpadded", "--labels", f"{root}/twelve.json"], (), order, order)
    numbered(f"{root}/padded/vae-sd", 12, entries=False)
    case("labels-padded", [f"{root}/padded", "--labels", f"{root}/twelve.npy"], (), range(12), range(12))


def labels(root):
    source = numbered(f"{root}/plain/vae-sd", entries=False)
    y = np.array([1, 0, 1, 1, 0, 1])
    for kind in ["u1", "i1", "<u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i8", "<u8", ">u8", "?", "<f4", ">f8", "<f2"]:
        for shape in [(6,), (6, 1), (1, 6)]:
            kind_name = kind.replace("<", "l").replace(">", "b").replace("?", "bool")
            file = f"{root}/labels-{kind_name}-{len(shape)}{shape[0]}.npy"
            np.save(file, y.astype(kind).reshape(shape))
            case(f"labels{kind}{shape}", [f"{root}/plain", "--labels", file], (), range(6), y)
    for name, array, told in [
            ("fraction", np.array([1, 2, 2.5, 3, 4, 5]), ["number 2 is 2.5", "whole number"]),
            ("nan", np.array([1, 2, 3, np.nan, 4, 5]), ["number 3 is nan"]),
            ("unsigned", np.array([1, 2, 2**64 - 1, 3, 4, 5], "u8"), ["number 2 is 18446744073709551615"]),
            ("one-hot", np.eye(6), ["[6, 6]", "one class for each sample"]),
            ("grid", np.arange(6).reshape(2, 3), ["[2, 3]"]),
            ("negative", np.array([0, 1, 2, 3, -4, 5], "i1"), ["label -4"])]:
        np.save(f"{root}/labels-{name}.npy", array)
        case(f"labels-{name}", [f"{root}/plain", "--labels", f"{root}/labels-{name}.npy"], told)
    for kind in ["i8", "i4", "i2", "i1", "u1", "u2", "u4", "u8", "?", "f4", "f8"]:
        for shape in [(6,), (6, 1)]:
            f = f"{root}/st-{'bool' if kind == '?' else kind}-{len(shape)}"
            shard(f, y.astype(kind).reshape(shape))
            case(f"st-labels-{kind}-{shape}", [f, "--multiplier", "0.5"], (), range(6), y, scale=[0.5] * 4)
    for name, array, told in [("fraction", np.array([1, 2, 2.5, 3, 4, 5]), ["number 2 is 2.5"]),
                              ("one-hot", np.eye(6, dtype="f4"), ["`labels` is F32 [6, 6]"]),
                              ("few", np.arange(5), ["`labels` is I64 [5]", "[6]"])]:
        shard(f"{root}/st-{name}", array)
        case(f"st-labels-{name}", [f"{root}/st-{name}", "--multiplier", "1"], told)
    for name, change in [("scalar", lambda i: np.int64(i)), ("column", lambda i: np.array([[i]], ">i4")),
                         ("whole", lambda i: np.array([float(i)]))]:
        f = f"{root}/fast-{name}"
        for i in range(6):
            npy(f"{f}/x_features/{i}.npy", np.full((1, 4, S, S), i + 1, np.float32))
            npy(f"{f}/x_labels/{i}.npy", change(i))
        case(f"fast-labels-{name}", [f], (), range(6), range(6))


def shapes(root):
    six = dict(samples=range(6), labels=range(10, 16))
    for name, extents in [("one-channel", (1, S, S)), ("one-channel-batch", (1, 1, S, S)), ("ones", (1, 1, 4, S, S))]:
        numbered(f"{root}/{name}/vae-in", prefix="img-latents-", make=lambda i: np.full(extents, i + 1, np.float32))
        case(name, [f"{root}/{name}"], (), **six, channels=extents[-3])
    numbered(f"{root}/one-moment/vae-sd", make=lambda i: moments(i, c=1)[None])
    case("one-moment", [f"{root}/one-moment"], (), **six, channels=2)
    numbered(f"{root}/one-half/vae-sd", make=lambda i: np.full((1, S, S), i + 1, np.float32))
    case("one-half", [f"{root}/one-half"], ["expected (2C, S, S)"])
    numbered(f"{root}/big-endian/vae-sd", make=lambda i: moments(i).astype(">f4"))
    case("big-endian", [f"{root}/big-endian"], (), **six)
    numbered(f"{root}/double/vae-sd", make=lambda i: moments(i).astype(">f8" if i % 2 else "<f8"))
    case("double", [f"{root}/double"], (), **six)
    numbered(f"{root}/whole/vae-sd", make=lambda i: moments(i).astype("<i4"))
    case("whole-numbers", [f"{root}/whole"], ["elements of type <i4", "expected floats"])
    numbered(f"{root}/big-half/vae-sd", make=lambda i: moments(i).astype(">f2"))
    case("big-endian-half", [f"{root}/big-half"], (), **six)


def pack(path, files, rename=lambda n: n, **how):
    with zipfile.ZipFile(path, "w") as z:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = rename(name)  # ZipInfo would mend separators
            z.writestr(info, data, **how)
    return path


def zips(root):
    def bytes_of(array):
        out = io.BytesIO()
        np.save(out, array)
        return out.getvalue()

    six = dict(samples=range(6), labels=range(10, 16))
    arrays = {n: bytes_of(moments(i)) for i, n in enumerate(names())}
    text = json.dumps({"labels": [[n, 10 + i] for i, n in enumerate(names())]}).encode()
    files = {**arrays, "dataset.json": text}
    shadows = {"__MACOSX/" + "/".join([*n.split("/")[:-1], "._" + n.split("/")[-1]]): APPLE for n in files}
    z = lambda name, *rest, **how: ["--from", "repa", pack(f"{root}/{name}.zip", *rest, **how)]
    case("zip-plain", z("plain", files), (), **six)
    case("zip-top", z("top", files, lambda n: "vae-sd/" + n), (), **six)
    case("zip-other-top", z("other-top", files, lambda n: "my features/" + n), (), **six)
    case("zip-deep", z("deep", files, lambda n: "data/imagenet/vae-sd/" + n), (), **six)
    case("zip-top-table-outside", z("outside", {**{"vae-sd/" + n: a for n, a in arrays.items()},
        "dataset.json": text}), (), **six)
    top = json.dumps({"labels": [["vae-sd/" + n, 10 + i] for i, n in enumerate(names())]}).encode()
    case("zip-table-from-top", z("from-top", {**{"vae-sd/" + n: a for n, a in arrays.items()},
        "vae-sd/dataset.json": top}), (), **six)
    case("zip-windows", z("windows", files, lambda n: n.replace("/", "\\")), (), **six)
    case("zip-windows-top", z("windows-top", files, lambda n: "vae-sd\\" + n.replace("/", "\\")), (), **six)
    case("zip-dot", z("dot", files, lambda n: "./" + n), (), **six)
    case("zip-dot-top", z("dot-top", files, lambda n: "./vae-sd/" + n), (), **six)
    case("zip-macos", z("macos", {**files, **shadows, ".DS_Store": b"x"}), ["`__MACOSX`"], **six)
    case("zip-macos-top", z("macos-top", {**files, **shadows},
        lambda n: n if n.startswith("__") else "vae-sd/" + n), ["`__MACOSX`"], **six)
    case("zip-macos-none", [*z("macos-none", {**arrays, **shadows}), "--labels", "none"], ["`__MACOSX`"],
        range(6), [0] * 6)
    case("zip-deflated", z("deflated", files, compress_type=zipfile.ZIP_DEFLATED), (), **six)
    two = {**{"a/" + n: f for n, f in files.items()}, **{"b/" + n: f for n, f in files.items()}}
    case("zip-two-tables", z("two", two), ["`a/dataset.json`", "`b/dataset.json`", "several"])
    images = {**{"vae-sd/" + n: f for n, f in files.items()}, "images/dataset.json": text,
        "images/00000/img00000000.png": b"x"}
    case("zip-table-of-images", z("images", images), (), **six)
    case("zip-no-table", z("no-table", arrays), ["has no dataset.json", "--labels FILE"])
    case("zip-fewer", z("fewer", {**arrays, "dataset.json": json.dumps({"labels": [[names()[1], 3]]})}),
        ["left aside"], [1], [3])
    with zipfile.ZipFile(f"{root}/zip64.zip", "w") as f:
        for name, data in files.items():
            with f.open("vae-sd/" + name, "w", force_zip64=True) as g:
                g.write(data)
    case("zip-64", ["--from", "repa", f"{root}/zip64.zip"], (), **six)

    class Pipe(io.RawIOBase):
        def __init__(self, file): self.file = file
        def writable(self): return True
        def write(self, b): return self.file.write(b)

    with open(f"{root}/streamed.zip", "wb") as raw, zipfile.ZipFile(Pipe(raw), "w") as f:
        for name, data in files.items():
            f.writestr("vae-sd/" + name, data)
    case("zip-streamed", ["--from", "repa", f"{root}/streamed.zip"], (), **six)
    os.makedirs(f"{root}/holds-a-zip")
    pack(f"{root}/holds-a-zip/x.zip", files)
    case("folder-of-a-zip", ["--from", "edm2", f"{root}/holds-a-zip"], (), **six)
    for name in ["a", "b"]:
        numbered(f"{root}/two-tables/{name}")
    case("folder-two-tables", ["--from", "repa", f"{root}/two-tables"], ["a/dataset.json", "b/dataset.json", "several"])


def statistics(root):
    source, c = f"{root}/for-statistics", 4
    shard(source, np.arange(6))
    z = np.zeros((1, c, 1, 1))
    mean, std = np.arange(c) / 2 - 0.5, np.arange(c) / 4 + 0.5
    column = lambda a: a.reshape(1, c, 1, 1)
    right = dict(scale=list(1 / std), shift=list(-mean / std))

    def stats(name, save, told=(), more=(), **wanted):
        file = f"{root}/{name}"
        save(file)
        if wanted:
            case(f"statistics-{name}", [source, "--statistics", file, *more], told, range(6), range(6), **wanted)
        else:
            case(f"statistics-{name}", [source, "--statistics", file, *more], told)

    for kind in ["<f8", "<f4", "<f2", ">f8", ">f4"]:
        stats(f"{kind.replace('<', 'l').replace('>', 'b')}.npz",
              lambda f: np.savez(f, mean=column(mean).astype(kind), std=column(std).astype(kind)), **right)
    stats("flat.npz", lambda f: np.savez(f, mean=mean, std=std), **right)
    stats("more.npz", lambda f: np.savez(f, mean=mean, std=std, count=50000, n=np.array("text"),
        min=np.zeros((9, 9))), **right)
    stats("one.npz", lambda f: np.savez(f, mean=0.5, std=np.float32(2)), scale=[0.5] * c, shift=[-0.25] * c)
    stats("one-std.npz", lambda f: np.savez(f, mean=mean, std=np.array([2.0])), scale=[0.5] * c, shift=list(-mean / 2))
    stats("names.npz", lambda f: np.savez(f, latents_mean=mean, latents_std=std), **right)
    stats("greek.npz", lambda f: np.savez(f, mu=mean, sigma=std), **right)
    stats("whole.npz", lambda f: np.savez(f, mean=np.zeros(c, int), std=np.full(c, 2, "u1")), scale=[0.5] * c,
        shift=[0] * c)
    stats("bias.npz", lambda f: np.savez(f, latents_bias=mean, latents_scale=std), scale=list(std),
        shift=list(-mean * std))
    stats("multiplied.npz", lambda f: np.savez(f, mean=mean, std=std), (), ["--multiplier", "2"],
          scale=list(2 / std), shift=list(-2 * mean / std))
    stats("f8.safetensors", lambda f: save_file({"mean": column(mean), "std": column(std)}, f), **right)
    stats("f2.safetensors", lambda f: save_file({"mean": mean.astype("f2"), "std": std.astype("f2"),
        "n": np.array([5])}, f), **right)
    stats("i4.safetensors", lambda f: save_file({"mean": np.zeros(c, "i4"), "std": np.ones(1, "i4")}, f),
        scale=[1] * c, shift=[0] * c)

    def document(value):
        return lambda f: write(f, json.dumps(value), "w")

    stats("lists.json", document({"mean": list(mean), "std": list(std)}), **right)
    stats("nested.json", document({"latents_mean": column(mean).tolist(), "latents_std": column(std).tolist(),
        "n": "x"}), **right)
    stats("one.json", document({"mean": 0.5, "std": 2, "count": 7}), scale=[0.5] * c, shift=[-0.25] * c)
    stats("factors.json", document({"shift_factor": 0.5, "scaling_factor": 2, "sample_size": 32}),
        scale=[2] * c, shift=[-1] * c)
    stats("diffusers.json", document({"_class_name": "AutoencoderKL", "scaling_factor": 0.13025, "shift_factor": None,
        "latents_mean": None}), scale=[0.13025] * c, shift=[0] * c)
    stats("factor.npz", lambda f: np.savez(f, scaling_factor=0.5), scale=[0.5] * c, shift=[0] * c)
    stats("list.json", document([1, 2]), ['is not {"mean"'])
    stats("texts.json", document({"mean": ["a"] * c, "std": list(std)}), ["expected mean and std"])
    stats("zero.npz", lambda f: np.savez(f, mean=mean, std=std * [1, 1, 0, 1]), ["`std` is",
        "expected positive numbers"])
    stats("negative.json", document({"mean": list(mean), "std": -1}), ["`std` is", "expected positive numbers"])
    stats("nan.npz", lambda f: np.savez(f, mean=mean, std=std * np.nan), ["`std` is", "expected positive numbers"])
    stats("infinite.npz", lambda f: np.savez(f, mean=mean, std=std * np.inf), ["`std` is", "expected positive numbers"])
    stats("nan-mean.npz", lambda f: np.savez(f, mean=mean + np.inf, std=std), ["expected finite numbers"])
    stats("few.npz", lambda f: np.savez(f, mean=mean[:3], std=std), ["`mean` has 3 numbers", "4 channels",
        "one for all"])
    stats("both.npz", lambda f: np.savez(f, mean=mean, std=std, scale=std, bias=mean), 
        ["mean and std, and bias and scale", "keep one"])
    stats("variance.npz", lambda f: np.savez(f, mean=mean, var=std), ["expected mean and std"])
    case("multiplier", [source, "--multiplier", "0.18215"], (), range(6), range(6), scale=[0.18215] * c, shift=[0] * c)
    case("multiplier-one", [source, "--multiplier", "1"], (), range(6), range(6), scale=[1] * c, shift=[0] * c)
    case("no-statistics", [source], ["--statistics", "--multiplier 0.18215"])
    case("multiplier-of-repa", [f"{root}/plain", "--multiplier", "2", "--labels", "none"],
        ["has a scale of its own", "leave out --multiplier"])


def broken(root):
    skip = "--skip-broken"
    pairs = list(range(10, 22))

    def damaged(name, damage, *more, told, wanted=None):
        folder = numbered(f"{root}/{name}/vae-sd", 12)
        for i, how in damage.items():
            path = f"{folder}/{names(12)[i]}"
            if callable(how):
                how(path)
            else:
                np.save(path, how)
        case(name, [f"{root}/{name}", *more], told, **(wanted or {}))
        good = [i for i in range(12) if i not in damage]
        if wanted is None and good:
            case(f"{name}-skipped", [f"{root}/{name}", skip], [f"left out {len(damage)} of 12",
                names(12)[min(damage)]], good,
                 [pairs[i] for i in good])

    empty = lambda path: open(path, "wb").close()
    cut = lambda path: os.truncate(path, 1000)
    nan, infinite = moments(1), moments(1)
    nan[3, 3, 3], infinite[0, 0, 0] = np.nan, np.inf
    third = names(12)[3]
    damaged("broken-one", {3: empty}, told=[third, skip])
    damaged("broken-first", {0: empty}, told=[names(12)[0]])
    damaged("broken-first-shape", {0: moments(0)[:, :4, :4]}, told=[names(12)[0], "[8, 4, 4], others have [8, 8, 8]"])
    damaged("broken-last", {11: cut}, told=[names(12)[11], "truncated"])
    damaged("broken-kinds", {2: cut, 3: nan, 5: infinite, 7: os.remove, 8: moments(0)[:4], 9: moments(0).astype("i4")},
            told=[*(names(12)[i] for i in (2, 3, 5, 7, 8, 9)), "nan", "inf", "No such file", "6 of 12", skip])
    damaged("broken-all", {i: empty for i in range(12)}, told=["img-mean-std-00000000.npy"])
    damaged("broken-later", {i: nan for i in range(12)}, skip, told=["none of the first 12", names(12)[0], "nan"])
    accident, whole = moments(3), moments(3, True)
    accident[7, 0, 0] = -1e-7
    damaged("broken-negative", {3: accident, 5: whole}, told=[third, "-1e-07 where a standard deviation should be",
        "-9.0 where a standard deviation", "2 of 12", skip])
    case("broken-negative-std", [f"{root}/broken-negative", "--second-half", "std", skip], ["left out 2 of 12"],
        [0, 1, 2, 4, *range(6, 12)], [pairs[i] for i in (0, 1, 2, 4, *range(6, 12))])
    damaged("broken-first-negative", {0: whole}, told=[names(12)[0], "standard deviation", skip])
    logs = {i: moments(i, True) for i in range(12)}
    damaged("logvar", logs, skip, told=["these are logarithms of variances", "--second-half logvar"])
    case("logvar-said", [f"{root}/logvar", "--second-half", "logvar"], (), range(12), pairs)
    damaged("logvar-as-std", {i: logs[i] for i in range(11)}, "--second-half", "std",
        told=["11 of 12", skip], wanted={})
    damaged("std", {3: accident}, "--second-half", "logvar", told=["warning: 1 of the first 12 samples",
        "look like standard deviations"], wanted=dict(samples=range(12), labels=pairs))
    damaged("zeros", {3: moments(0) * 0, 4: moments(0) * 0}, told=["2 of 12 samples hold nothing but zeros", third],
            wanted=dict(samples=[0, 1, 2, -1, -1, 5, 6, 7, 8, 9, 10, 11], labels=pairs))

    f = f"{root}/unpaired"
    for i in range(6):
        npy(f"{f}/x_features/{i}.npy", np.full((1, 4, S, S), i + 1, np.float32))
        if i != 2:
            npy(f"{f}/x_labels/{i}.npy", np.array([i]))
    npy(f"{f}/x_labels/9.npy", np.array([1]))
    case("unpaired", [f], ["2.npy", "9.npy", "paired by name", "2 of 7", skip])
    case("unpaired-skipped", [f, skip], ["left out 2 of 7"], [0, 1, 3, 4, 5], [0, 1, 3, 4, 5])
    m = synsets(f"{root}/mar-broken", ["n01440764", "n01443537"])
    empty(f"{m}/n01440764/00000.JPEG.npz")
    case("mar-broken", [m, skip], ["left out 1 of 4", "n01440764/00000"], [1, 2, 3], [0, 1, 1])
    z = [moments(i, True) for i in range(6)]
    z[4] = z[4][:, :4]
    d = database(f"{root}/lmdb-broken", z, range(6), 6)
    case("lmdb-broken", [d], ["sample 4", "`z-4` has", skip])
    case("lmdb-broken-skipped", [d, skip], ["left out 1 of 6"], [0, 1, 2, 3, 5], [0, 1, 2, 3, 5])
    x = np.stack([np.full((4, S, S), i + 1, np.float32) for i in range(6)])
    x[1, 0, 0, 0] = np.nan
    shard(f"{root}/st-broken", np.arange(6), latents=x)
    case("st-broken", [f"{root}/st-broken", "--multiplier", "1", skip], ["left out 1 of 6"], [0, 2, 3, 4, 5],
        [0, 2, 3, 4, 5])


def check(path, wanted):
    with h5py.File(path) as f:
        kind = "moments" if "moments" in f else "latents"
        x = f[kind][()]
        means = x[:, : x.shape[1] // 2] if kind == "moments" else x
        assert f["labels"][()].tolist() == wanted["labels"], f["labels"][()].tolist()
        assert len(x) == len(wanted["labels"]), len(x)
        for i, number in enumerate(wanted["samples"]):
            assert number is None or np.all(means[i] == number + 1), (i, number, means[i].flat[0])
        assert (f"{kind}_flip" in f) == wanted["flip"], "flip"
        for name in ("scale", "shift"):
            if name in wanted:
                np.testing.assert_allclose(f.attrs[name], wanted[name], rtol=1e-6, atol=1e-9)
        assert x.shape[1] == wanted.get("channels", x.shape[1]), x.shape


if __name__ == "__main__":
    if sys.argv[1] == "make":
        for group in (junk, maskdit, tables, labels, shapes, zips, statistics, broken):
            group(sys.argv[2])
        assert len({c["name"] for c in CASES}) == len(CASES)
        print(json.dumps(CASES))
    else:
        problems = {}
        for one in json.load(open(sys.argv[2])):
            try:
                check(one["file"], one["wanted"])
            except Exception as error:
                problems[one["name"]] = f"{error}"
        print(json.dumps(problems))
