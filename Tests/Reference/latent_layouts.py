"""Latents in the layouts of other projects, written by the tools that their users have: numpy, h5py, safetensors, lmdb.

    latent_layouts.py make LAYOUT FOLDER --side 32 --count 40

writes FOLDER/source... and FOLDER/expected.npz, and prints the import's arguments.

    latent_layouts.py check FILE.h5 FOLDER [--half]

compares an import with expected.npz.

    latent_layouts.py bad FOLDER

writes sources with one mistake each, and prints the arguments of each import and what its message must contain.
"""
import argparse
import json
import os
import pickle
import struct
import sys
import zipfile

import numpy as np

SIDE = {"lightning-dit": 16, "mar": 16}  # of 256 x 256 images; the others 32


class Latents:
    """Made-up moments or drawn latents, about as large as Stable Diffusion's.

    Their channels differ, so that a mixed-up axis shows.
    """

    def __init__(self, layout, side, count, seed=0, times=1):
        rng = np.random.default_rng(seed)
        self.channels = {"lightning-dit": 32, "mar": 16}.get(layout, 4)
        level = np.arange(self.channels, dtype=np.float32)[:, None, None]
        shape = (count, self.channels, side, side)

        def mean():
            return (rng.standard_normal(shape) * (4 + level / 2) + level / 2 - 1).astype(np.float32)

        self.mean, self.mean_flip = times * mean(), times * mean()
        self.logvar, self.logvar_flip = ((rng.standard_normal(shape) * 4 - 9).astype(np.float32) for _ in range(2))
        if layout in ("mar", "maskdit"):  # beyond what logarithms are clamped to
            self.logvar[:, 0, 0, :2] = [-40, 25]
        self.labels = rng.integers(0, 1000, count).astype(np.int64)
        self.std = np.exp(0.5 * np.clip(self.logvar.astype(np.float64), -30, 20)).astype(np.float32)
        self.std_flip = np.exp(0.5 * np.clip(self.logvar_flip.astype(np.float64), -30, 20)).astype(np.float32)

    def moments(self):
        return np.concatenate([self.mean, self.std], axis=1)


def numbered(folder, prefix, arrays, labels):
    names = [f"{i // 7:05d}/{prefix}-{i:08d}.npy" for i in range(len(arrays))]
    for name, array in zip(names, arrays):
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        np.save(f"{folder}/{name}", array)
    with open(f"{folder}/dataset.json", "w") as f:
        json.dump({"labels": [[n, int(l)] for n, l in zip(names, labels)]}, f)
    return names


def make(layout, folder, side, count, times=1):
    archive = layout == "edm2-zip"
    layout = "edm2" if archive else layout
    d = Latents(layout, side, count, times=times)
    os.makedirs(folder, exist_ok=True)
    source, more = f"{folder}/source", []
    c = d.channels
    expected = {"labels": d.labels, "moments": d.moments(), "scale": np.full(c, 0.18215), "shift": np.zeros(c)}
    if layout in ("repa", "edm2"):
        inner = f"{source}/vae-sd" if layout == "repa" else source
        numbered(inner, "img-mean-std", d.moments(), d.labels)
        if layout == "edm2":
            raw_mean, raw_std = np.array([5.81, 3.25, 0.12, -2.15]), np.array([4.17, 4.62, 3.71, 3.28])
            expected["scale"] = 0.5 / raw_std
            expected["shift"] = -raw_mean * expected["scale"]
            more = ["--from", "edm2"]
        if archive:
            with zipfile.ZipFile(f"{source}.zip", "w", zipfile.ZIP_STORED) as z:
                for at, _, files in os.walk(source):
                    for name in files:
                        z.write(f"{at}/{name}", os.path.relpath(f"{at}/{name}", source))
            source += ".zip"
    elif layout == "repa-e":
        import h5py
        source += ".h5"
        names = [f"{i // 7:05d}/img-mean-std-{i:08d}.npy" for i in range(count)]
        with h5py.File(source, "w") as f:
            for name, array in zip(names, d.moments()):
                f.create_dataset(name, data=array)
            text = json.dumps({"labels": [[n, int(l)] for n, l in zip(names, d.labels)]})
            f.create_dataset("dataset.json", data=np.bytes_(text))
        with open(f"{folder}/source_h5.json", "w") as f:
            json.dump(names, f)
        bias, scale = np.arange(c, dtype=np.float32), np.linspace(0.2, 0.5, c, dtype=np.float32)
        np.savez(f"{folder}/stats.npz", latents_bias=bias.reshape(1, c, 1, 1), latents_scale=scale.reshape(1, c, 1, 1))
        expected["scale"], expected["shift"] = scale, -bias * scale
        more = ["--statistics", f"{folder}/stats.npz"]
    elif layout == "speedrun-dit":
        arrays = [m[None] if i % 2 else m for i, m in enumerate(d.mean)]  # at times a leading 1
        numbered(f"{source}/vae-in", "img-latents", arrays, d.labels)
        expected["latents"] = d.mean
        expected["scale"] = np.full(c, 0.3099)
    elif layout == "fast-dit":
        os.makedirs(f"{source}/imagenet256_features")
        os.makedirs(f"{source}/imagenet256_labels")
        for i in range(count):
            np.save(f"{source}/imagenet256_features/{i}.npy", d.mean[i : i + 1])
            np.save(f"{source}/imagenet256_labels/{i}.npy", d.labels[i : i + 1])
        expected["latents"] = d.mean
        expected["scale"] = np.ones(c)
    elif layout == "lightning-dit":
        from safetensors.numpy import save_file
        os.makedirs(source)
        cuts = [0, count // 3, count // 2, count]
        for i, (a, b) in enumerate(zip(cuts, cuts[1:])):
            save_file(
                {"latents": d.mean[a:b], "latents_flip": d.mean_flip[a:b], "labels": d.labels[a:b]},
                f"{source}/latents_rank{i // 2:02d}_shard{i % 2:03d}.safetensors")
        mean, std = np.linspace(-1, 1, c, dtype=np.float32), np.linspace(0.5, 2, c, dtype=np.float32)
        save_file({"mean": mean.reshape(1, c, 1, 1), "std": std.reshape(1, c, 1, 1)}, f"{folder}/stats.safetensors")
        expected["latents"], expected["flip"] = d.mean, d.mean_flip
        expected["scale"], expected["shift"] = 1 / std, -mean / std
        more = ["--statistics", f"{folder}/stats.safetensors"]
    elif layout == "mar":
        folders = [f"n{i:08d}" for i in range(5)]
        order, labels = [], []
        for label, name in enumerate(folders):
            os.makedirs(f"{source}/{name}")
            for i in range(label, count, 5):
                save = np.savez if i % 2 else np.savez_compressed
                save(
                    f"{source}/{name}/{name}_{i:05d}.JPEG.npz", moments=np.concatenate([d.mean[i], d.logvar[i]]),
                    moments_flip=np.concatenate([d.mean_flip[i], d.logvar_flip[i]]))
                order.append(i)
                labels.append(label)
        expected["moments"] = d.moments()[order]
        expected["flip"] = np.concatenate([d.mean_flip, d.std_flip], axis=1)[order]
        expected["labels"] = np.array(labels)
        expected["scale"] = np.full(c, 0.2325)
    elif layout == "maskdit":
        import lmdb
        with lmdb.open(source, map_size=1 << 30) as env, env.begin(write=True) as txn:
            txn.put(b"length", str(count).encode())
            for i in range(count):
                for j, mean, logvar in [(i, d.mean[i], d.logvar[i]), (i + count, d.mean_flip[i], d.logvar_flip[i])]:
                    txn.put(f"z-{j}".encode(), np.concatenate([mean, logvar]).tobytes())
                    txn.put(f"y-{j}".encode(), str(d.labels[i]).encode())
        expected["flip"] = np.concatenate([d.mean_flip, d.std_flip], axis=1)
    if "latents" in expected:
        del expected["moments"]
    np.savez(f"{folder}/expected.npz", **expected)
    return [source] + more


def check(path, folder, half):
    import h5py
    expected = np.load(f"{folder}/expected.npz")
    kind = "moments" if "moments" in expected else "latents"
    with h5py.File(path) as f:
        def compare(name, wanted):
            found = f[name][()]
            assert found.dtype == (np.float16 if half else np.float32), found.dtype
            assert found.shape == wanted.shape, (found.shape, wanted.shape)
            if half:
                assert np.array_equal(found, wanted.astype(np.float16)), f"{name}: other than half's rounding"
                return
            means = wanted.shape[1] // 2 if kind == "moments" else wanted.shape[1]
            assert np.array_equal(found[:, :means], wanted[:, :means]), f"{name}: other bits"
            # Deviations out of logarithms may differ by the last bit of the exponential function.
            np.testing.assert_array_max_ulp(found[:, means:], wanted[:, means:], maxulp=1)

        compare(kind, expected[kind])
        assert (f"{kind}_flip" in f) == ("flip" in expected)
        if "flip" in expected:
            compare(f"{kind}_flip", expected["flip"])
        assert np.array_equal(f["labels"][()], expected["labels"]), "labels"
        np.testing.assert_allclose(f.attrs["scale"], expected["scale"], rtol=1e-6)
        np.testing.assert_allclose(f.attrs["shift"], expected["shift"], rtol=1e-6, atol=1e-9)
        assert f.attrs["kind"] in ("latents", b"latents")


def bad(root):
    """One mistake each: [name, arguments, what the message must say]."""
    cases = []
    good = Latents("repa", 32, 10)

    def repa(name, told, change, more=()):
        folder = f"{root}/{name}/vae-sd"
        names = numbered(folder, "img-mean-std", good.moments(), good.labels)
        change(folder, names)
        cases.append([name, [f"{root}/{name}", *more], told])

    def rewrite(index, array=None, data=None):
        def change(folder, names):
            with open(f"{folder}/{names[index]}", "rb") as f:
                old = f.read()
            with open(f"{folder}/{names[index]}", "wb") as f:
                if data:
                    f.write(data(old))
                else:
                    np.save(f, array)
        return change

    def json_of(change):
        def rewritten(folder, names):
            with open(f"{folder}/dataset.json") as f:
                table = json.load(f)
            change(table, names)
            with open(f"{folder}/dataset.json", "w") as f:
                json.dump(table, f)
        return rewritten

    m = good.moments()
    broken = m[3].copy()
    broken[2, 5, 5] = np.nan
    infinite = m[3].copy()
    infinite[6, 0, 1] = np.inf
    huge = m[3].copy()
    huge[0, 0, 0] = 1e6
    third = "img-mean-std-00000003.npy"
    repa("npy-truncated", [third, "truncated"], rewrite(3, data=lambda old: old[:-100]))
    repa("npy-header-truncated", [third, "truncated"], rewrite(3, data=lambda old: old[:40]))
    repa("npy-empty", [third, "an empty file"], rewrite(3, data=lambda old: b""))
    repa("npy-nan", [third, "nan"], rewrite(3, broken))
    repa("npy-inf", [third, "inf"], rewrite(3, infinite))
    repa("npy-beyond-half", [third, "--dtype f32"], rewrite(3, huge))
    repa("npy-integers", [third, "<i8"], rewrite(3, m[3].astype(np.int64)))
    repa("npy-fortran", [third, "Fortran"], rewrite(3, np.asfortranarray(m[3])))
    repa("npy-shape", [third, "shape"], rewrite(3, m[3][:, :16]))
    repa("npy-drawn", [third, "shape"], rewrite(3, m[3][:4]))
    repa("npy-missing", [third, "open"], lambda folder, names: os.remove(f"{folder}/{names[3]}"))
    log_variance = np.concatenate([good.mean[3], good.logvar[3]])
    repa("npy-log-variance", [third, "standard deviation", "--skip-broken"], rewrite(3, log_variance))
    repa("no-dataset-json", ["dataset.json", "--labels"], lambda folder, names: os.remove(f"{folder}/dataset.json"))
    repa("labels-null", ["labels: null", "--labels"], json_of(lambda t, n: t.update(labels=None)))
    repa("label-1000", [third, "label 1000"], json_of(lambda t, n: t["labels"][3].__setitem__(1, 1000)))
    repa("label-negative", [third, "label -1"], json_of(lambda t, n: t["labels"][3].__setitem__(1, -1)))
    repa("label-text", ["labels"], json_of(lambda t, n: t["labels"][3].__setitem__(1, "cat")))
    repa("name-twice", [third, "twice"], json_of(lambda t, n: t["labels"].append([n[3], 5])))
    repa("json-truncated", ["dataset.json"], lambda folder, names: open(f"{folder}/dataset.json", "a").write("{"))
    repa("labels-too-few", ["9 classes for 10"], lambda folder, names: (
        os.remove(f"{folder}/dataset.json"), np.save(f"{root}/nine.npy", np.arange(9))),
        ["--labels", f"{root}/nine.npy"])

    ten_labels = json.dumps({"labels": [[f"00000/img-mean-std-{i:08d}.npy", i] for i in range(10)]})
    folder = f"{root}/unclear"
    numbered(folder, "img-mean-std", m, good.labels)
    cases.append(["ambiguous-folder", [folder], ["REPA", "EDM2", "--from"]])
    for name, cut, told in [("zip-truncated", 3000, "zip"), ("zip-tail", 10, "zip")]:
        path = f"{root}/{name}.zip"
        with zipfile.ZipFile(path, "w") as z:
            for i, array in enumerate(m):
                np.save(f"{root}/one.npy", array)
                z.write(f"{root}/one.npy", f"00000/img-mean-std-{i:08d}.npy")
            z.writestr("dataset.json", ten_labels)
        cases.append([name.replace("zip", "zip-whole-but-ambiguous"), [path], ["--from"]]) if cut == 10 else None
        size = os.path.getsize(path)
        broken_path = f"{root}/{name}-cut.zip"
        with open(path, "rb") as f, open(broken_path, "wb") as g:
            g.write(f.read(size - cut))
        cases.append([name, [broken_path, "--from", "edm2"], [told]])
    path = f"{root}/zip-checksum.zip"
    with open(f"{root}/zip-tail.zip", "rb") as f:
        data = bytearray(f.read())
    data[data.index(b"NUMPY") + 4000] ^= 4
    with open(path, "wb") as f:
        f.write(data)
    cases.append(["zip-checksum", [path, "--from", "edm2"], ["img-mean-std-00000000.npy", "checksum"]])
    path = f"{root}/zip-twice.zip"
    import warnings
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as z:
        warnings.simplefilter("ignore")
        np.save(f"{root}/one.npy", m[0])
        z.write(f"{root}/one.npy", "00000/img-mean-std-00000000.npy")
        z.write(f"{root}/one.npy", "00000/img-mean-std-00000000.npy")
        z.writestr("dataset.json", json.dumps({"labels": [["00000/img-mean-std-00000000.npy", 1]]}))
    cases.append(["zip-twice", [path, "--from", "repa"], ["a name twice"]])

    d = Latents("lightning-dit", 16, 6)
    c = d.channels
    np.savez(f"{root}/stats.npz", mean=np.zeros((1, c, 1, 1), np.float32), std=np.ones((1, c, 1, 1), np.float32))

    def shard(name, told, data, more=("--statistics", f"{root}/stats.npz")):
        os.makedirs(f"{root}/{name}")
        with open(f"{root}/{name}/latents_rank00_shard000.safetensors", "wb") as f:
            f.write(data)
        cases.append([name, [f"{root}/{name}", *more], told])

    def tensors(header, body):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + body

    body = d.mean.tobytes() + d.labels.tobytes()
    n = d.mean.nbytes
    header = {"latents": {"dtype": "F32", "shape": list(d.mean.shape), "data_offsets": [0, n]},
              "labels": {"dtype": "I64", "shape": [6], "data_offsets": [n, n + 48]}}
    plain = tensors(header, body)
    shard("st-no-statistics", ["--statistics"], plain, ())
    shard("st-truncated", ["shard000", "bytes"], plain[:-5])
    shard("st-header-2-64", ["18446744073709551615"], struct.pack("<Q", 2**64 - 1) + plain[8:])
    shard("st-header-2-63", ["9223372036854775808"], struct.pack("<Q", 2**63) + plain[8:])
    shard("st-header-too-long", ["header of 4000000"], struct.pack("<Q", 4000000) + plain[8:])
    overlap = json.loads(json.dumps(header))
    overlap["labels"]["data_offsets"] = [n - 48, n]
    shard("st-overlap", ["overlap"], tensors(overlap, body))
    gap = json.loads(json.dumps(header))
    gap["labels"]["data_offsets"] = [n + 8, n + 56]
    shard("st-gap", ["gap"], tensors(gap, body + b"12345678"))
    twice = json.dumps(header)[:-1] + ', "labels": ' + json.dumps(header["labels"]) + "}"
    shard("st-twice", ["twice"], tensors(twice.encode(), body))
    wrong = json.loads(json.dumps(header))
    wrong["latents"]["dtype"] = "I32"
    shard("st-dtype", ["I32"], tensors(wrong, body))
    nan = d.mean.copy()
    nan[4, 0, 0, 0] = np.nan
    shard("st-nan", ["4 of latents_rank00_shard000", "nan"], tensors(header, nan.tobytes() + d.labels.tobytes()))
    shard("st-second-half", ["--second-half"], plain, ("--statistics", f"{root}/stats.npz", "--second-half", "std"))

    import h5py
    path = f"{root}/hdf5-truncated.h5"
    with h5py.File(path, "w") as f:
        for i in range(10):
            f.create_dataset(f"00000/img-mean-std-{i:08d}.npy", data=m[i])
        f.create_dataset("dataset.json", data=np.bytes_(ten_labels))
    with open(path, "r+b") as f:
        f.truncate(os.path.getsize(path) - 70000)
    bias, scale = np.zeros((1, 4, 1, 1), np.float32), np.ones((1, 4, 1, 1), np.float32)
    np.savez(f"{root}/stats4.npz", latents_bias=bias, latents_scale=scale)
    cases.append(["hdf5-truncated", [path, "--statistics", f"{root}/stats4.npz"], ["truncated"]])

    import lmdb
    path = f"{root}/lmdb-truncated"
    with lmdb.open(path, map_size=1 << 26) as env, env.begin(write=True) as txn:
        txn.put(b"length", b"10")
        for i in range(10):
            txn.put(f"z-{i}".encode(), m[i].tobytes())
            txn.put(f"y-{i}".encode(), str(i).encode())
    import shutil
    shutil.copytree(path, f"{root}/lmdb-std")
    cases.append(["lmdb-std", [f"{root}/lmdb-std"], ["look like standard deviations", "--second-half"]])
    with open(f"{path}/data.mdb", "r+b") as f:
        f.truncate(os.path.getsize(f"{path}/data.mdb") // 2)
    cases.append(["lmdb-truncated", [path], ["truncated"]])

    os.makedirs(f"{root}/mar/n01")
    with open(f"{root}/mar/n01/a.JPEG.npz", "wb") as f:
        np.savez(f, moments=np.concatenate([good.mean[0], good.logvar[0]]))
    with open(f"{root}/mar/n01/a.JPEG.npz", "rb") as f:
        data = f.read()
    with open(f"{root}/mar/n01/a.JPEG.npz", "wb") as f:
        f.write(data[:-200])
    cases.append(["npz-truncated", [f"{root}/mar"], ["a.JPEG.npz", "zip"]])

    # Clamping must not turn what is no number into a bound.
    os.makedirs(f"{root}/mar-nan/n01")
    broken = np.concatenate([good.mean[0], good.logvar[0]])
    broken[5, 3, 3] = np.nan
    np.savez(f"{root}/mar-nan/n01/a.JPEG.npz", moments=broken)
    cases.append(["npz-nan", [f"{root}/mar-nan"], ["a.JPEG.npz", "nan"]])

    os.makedirs(f"{root}/unpaired/x_features")
    os.makedirs(f"{root}/unpaired/x_labels")
    for i in range(3):
        np.save(f"{root}/unpaired/x_features/{i}.npy", good.mean[i : i + 1])
    for i in range(2):
        np.save(f"{root}/unpaired/x_labels/{i}.npy", good.labels[i : i + 1])
    cases.append(["unpaired", [f"{root}/unpaired"], ["2.npy", "paired", "--skip-broken"]])
    with open(f"{root}/latents.pt", "wb") as f:
        f.write(pickle.dumps({"latents": [1, 2]}))
    cases.append(["pickle", [f"{root}/latents.pt"], ["pickle", "safetensors"]])
    os.makedirs(f"{root}/empty")
    cases.append(["empty-folder", [f"{root}/empty"], ["--from"]])
    cases.append(["nothing-there", [f"{root}/nothing"], ["does not exist"]])
    return cases


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["make", "check", "bad"])
    parser.add_argument("what")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--side", type=int)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--times", type=int, default=1, help="a factor of all means")
    parser.add_argument("--half", action="store_true")
    a = parser.parse_args()
    if a.command == "make":
        print(json.dumps(make(a.what, a.folder, a.side or SIDE.get(a.what, 32), a.count, a.times)))
    elif a.command == "check":
        check(a.what, a.folder, a.half)
    else:
        print(json.dumps(bad(a.what)))
