"""Writes the bundled digits as PNG pictures, one folder a class, for the article "Your own data".

    python3 configs/data/make_digit_pictures.py FOLDER

FOLDER/others holds zero to seven, FOLDER/photos eight and nine, and FOLDER/held-out every fifth eight and nine. Needs
numpy and h5py. The digits are scikit-learn's copy of the UCI handwritten digits (E. Alpaydin and C. Kaynak, CC BY 4.0).
"""
import pathlib
import struct
import sys
import zlib

import h5py
import numpy as np

DATA = pathlib.Path(__file__).parent
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def png(picture):
    """Returns a grey picture, uint8 [H, W], as the bytes of a PNG file."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def write(source, folders):
    """Writes the pictures of a data set; `folders` has a folder for each class, None for classes to leave out."""
    with h5py.File(DATA / source) as file:
        pictures = np.clip(np.round(127.5 * (file["latents"][:, 0] + 1)), 0, 255).astype(np.uint8)
        labels = file["labels"][:]
    for index, (picture, label) in enumerate(zip(pictures, labels)):
        if folders[label] is None:
            continue
        folder = folders[label] / NAMES[label]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:04}.png").write_bytes(png(picture))


def main():
    out = pathlib.Path(sys.argv[1])
    write("digits.h5", 8 * [out / "others"] + 2 * [out / "photos"])
    write("digits-holdout.h5", 8 * [None] + 2 * [out / "held-out"])


if __name__ == "__main__":
    main()
