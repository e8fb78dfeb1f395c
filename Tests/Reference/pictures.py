"""Makes odd pictures with Pillow, and what sprint has to make of them.

    pictures.py decoding FOLDER    FOLDER/good/NAME, with FOLDER/upright/NAME.png and FOLDER/stored/NAME.png as Pillow
                                   reads them; FOLDER/broken/NAME, which have to be refused
    pictures.py resizing FOLDER    FOLDER/pictures/NAME.png, of which `large` has 30 megapixels;
                                   FOLDER/bicubic/NAME@WIDTHxHEIGHT.png and FOLDER/crops/NAME@SIDE.png
    pictures.py photos FOLDER N    N odd pictures in three folders of classes, one in eleven of them broken; from 100
                                   on one has 30 megapixels. Prints the names of the broken ones as a JSON list
"""
import io
import json
import os
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

random = np.random.default_rng(1)


def picture(width, height, channels=3):
    """Waves, edges and a little noise, so that all frequencies are there."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (3 + 11 * c) + y / (17 - 5 * c)) * 90 + 128 for c in range(channels)]
    array = np.stack(waves, -1) + 60 * ((x // 13 + y // 9) % 2)[..., None]
    array += random.normal(0, 8, array.shape)
    array = np.clip(array, 0, 255).astype(np.uint8)
    return Image.fromarray(array[..., 0] if channels == 1 else array, {1: "L", 3: "RGB", 4: "CMYK"}[channels])


def jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def png(image, **options):
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def raw_png(width, height, bits, colours, rows, before=b""):
    """A PNG of given rows, each without its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def sixteen(channels):
    return random.integers(0, 65536, (13, 21, channels)).astype(">u2")


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def good():
    small, photo = picture(37, 23), picture(500, 375)
    for width, height in [(1, 1), (1, 40), (7, 5), (8, 8), (17, 33), (641, 3)]:
        for sampling in range(3):
            yield f"size{width}x{height}s{sampling}.jpg", jpeg(picture(width, height), subsampling=sampling)
    for quality in [5, 75, 100]:
        yield f"quality{quality}.jpg", jpeg(photo, quality=quality)
        yield f"progressive{quality}.jpg", jpeg(photo, quality=quality, progressive=True)
    yield "restarts.jpg", jpeg(photo, restart_marker_blocks=7)
    yield "grey.jpg", jpeg(picture(37, 23, 1))
    yield "grey-progressive.jpg", jpeg(picture(37, 23, 1), progressive=True)
    yield "cmyk.jpg", jpeg(picture(37, 23, 4))
    yield "rgb.jpg", jpeg(small, keep_rgb=True)
    for orientation in range(1, 9):
        yield f"turned{orientation}.jpg", jpeg(small, exif=exif(orientation))
    yield "turned6.png", png(small, exif=exif(6))
    yield "turned-odd.jpg", jpeg(small, exif=exif(9))
    yield "version.jpg", jpeg(small).replace(b"JFIF\0\1\1", b"JFIF\0\0\0")
    yield "behind.jpg", jpeg(small) + b"more\xff\xd8\xff"
    yield "extra.jpg", jpeg(small)[:-2] + b"\0" * 99 + b"\xff\xd9"
    yield "renamed.jpg", png(small)
    yield "renamed.png", jpeg(small)
    yield "rgb.png", png(small)
    yield "grey.png", png(picture(37, 23, 1))
    yield "behind.png", png(small) + b"more"
    yield "bits.png", png(picture(37, 23, 1).convert("1"))
    yield "palette.png", png(small.quantize(200))
    yield "palette4.png", png(small.quantize(11), bits=4)
    yield "palette-clear.png", png(small.quantize(11), transparency=3)
    yield "clear-colour.png", png(small, transparency=small.getpixel((5, 5)))
    yield "gamma.png", png(small)[:33] + chunk(b"gAMA", struct.pack(">I", 100000)) + png(small)[33:]
    alpha = small.copy()
    alpha.putalpha(picture(37, 23, 1))
    yield "alpha.png", png(alpha)
    yield "grey-alpha.png", png(alpha.convert("LA"))
    for bits in [2, 4]:
        rows = [random.integers(0, 256, 5).astype(np.uint8).tobytes() for _ in range(6)]
        yield f"grey{bits}.png", raw_png(5 * 8 // bits, 6, bits, 0, rows)
    for colours, channels in [(0, 1), (2, 3), (4, 2), (6, 4)]:
        yield f"sixteen{colours}.png", raw_png(21, 13, 16, colours, [row.tobytes() for row in sixteen(channels)])
    yield "interlaced.png", interlaced(small)


def interlaced(image):
    """Adam7, which Pillow does not write."""
    array = np.asarray(image)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = [row.tobytes() for y, x, down, across in passes for row in array[y::down, x::across] if row.size]
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def broken():
    small = picture(100, 80)
    for name, whole in [("cut.jpg", jpeg(small)), ("cut-progressive.jpg", jpeg(small, progressive=True)),
                        ("cut.png", png(small))]:
        for part in [2, 20, 300, len(whole) // 2, len(whole) - 20]:
            yield f"{part}-{name}", whole[:part]
    whole = png(small)
    yield "changed.png", whole[:500] + bytes([whole[500] ^ 1]) + whole[501:]
    whole = jpeg(small)
    frame = whole.index(b"\xff\xc0") + 5
    yield "huge.jpg", whole[:frame] + struct.pack(">HH", 65500, 65500) + whole[frame + 4:]
    yield "large.jpg", whole[:frame] + struct.pack(">HH", 12000, 12000) + whole[frame + 4:]
    scan = whole.index(b"\xff\xda")
    yield "holes.jpg", whole[:scan + 200] + b"\xff\xd0" * 9 + whole[scan + 400:]
    yield "tables.jpg", whole[:whole.index(b"\xff\xc0")] + b"\xff\xd9"
    yield "huge.png", raw_png(100000, 100000, 8, 2, [b""])
    yield "large.png", raw_png(10000, 10000, 8, 2, [b""])
    yield "empty.png", b""
    yield "text.jpg", b"a text"
    stream = io.BytesIO()
    small.save(stream, "GIF")
    yield "gif.png", stream.getvalue()


def as_pillow(path):
    """What Pillow reads, upright and as stored. Of 16 bits of grey sprint keeps the higher byte."""
    image = Image.open(path)
    upright = ImageOps.exif_transpose(image)

    def rgb(image):
        if image.mode == "I;16":
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        return image.convert("RGB")

    return rgb(upright), rgb(image)


def decoding(folder):
    for kind in ["good", "broken", "upright", "stored"]:
        os.makedirs(f"{folder}/{kind}")
    for kind, files in [("good", good()), ("broken", broken())]:
        for name, data in files:
            with open(f"{folder}/{kind}/{name}", "wb") as file:
                file.write(data)
    for name in os.listdir(f"{folder}/good"):
        for kind, image in zip(["upright", "stored"], as_pillow(f"{folder}/good/{name}")):
            image.save(f"{folder}/{kind}/{name}.png", compress_level=1)


def resize(image, size, resample):
    """Rows first, then columns, as Pillow does it until version 12. Version 13 takes columns first where that is
    faster, with other roundings, and older ones did so for pictures more than 100 times as tall as wide."""
    return image.resize((size[0], image.height), resample).resize(size, resample)


def center_crop(image, side):
    """`center_crop_arr` of guided_diffusion/image_datasets.py, https://github.com/openai/guided-diffusion"""
    while min(*image.size) >= 2 * side:
        image = resize(image, tuple(extent // 2 for extent in image.size), Image.BOX)
    scale = side / min(*image.size)
    image = resize(image, tuple(round(extent * scale) for extent in image.size), Image.BICUBIC)
    array = np.array(image)
    y, x = (array.shape[0] - side) // 2, (array.shape[1] - side) // 2
    return Image.fromarray(array[y:y + side, x:x + side])


def resizing(folder):
    for kind in ["pictures", "bicubic", "crops"]:
        os.makedirs(f"{folder}/{kind}")
    sizes = [(1, 1), (2, 3), (31, 64), (64, 64), (65, 64), (128, 127), (129, 300), (500, 375), (3, 700), (900, 601)]
    for width, height in sizes:
        name, image = f"{width}x{height}", picture(width, height)
        image.save(f"{folder}/pictures/{name}.png", compress_level=1)
        for side in [1, 15, 64]:
            center_crop(image, side).save(f"{folder}/crops/{name}@{side}.png")
        for target in [(1, 1), (17, 64), (224, 224), (width, 50), (2 * width, height)]:
            resize(image, target, Image.BICUBIC).save(f"{folder}/bicubic/{name}@{target[0]}x{target[1]}.png")
    large = Image.fromarray(np.tile(np.asarray(picture(1000, 500)), (10, 6, 1)))
    large.save(f"{folder}/pictures/large.png", "JPEG")
    center_crop(Image.open(f"{folder}/pictures/large.png"), 64).save(f"{folder}/crops/large@64.png")


def odd_photo(index):
    """The ending and the bytes of a whole picture."""
    width, height = (int(extent) for extent in random.integers(20, 400, 2))
    photo = picture(width, height)
    kinds = [
        lambda: (".JPEG", jpeg(photo, quality=int(random.integers(30, 100)))),
        lambda: (".jpg", jpeg(photo, progressive=True)),
        lambda: (".jpg", jpeg(picture(width, height, 1))),
        lambda: (".jpg", jpeg(photo, exif=exif(index // 8 % 8 + 1))),
        lambda: (".jpeg", jpeg(picture(width, height, 4))),
        lambda: (".jpg", png(photo)),
        lambda: (".png", png(photo.quantize(200))),
        lambda: (".JPG", jpeg(picture(*[(1, 1), (1, 90), (300, 2)][index // 8 % 3]))),
    ]
    return kinds[index % 8]()


def broken_photo(index):
    photo = picture(200, 150)
    whole, progressive = jpeg(photo), jpeg(photo, progressive=True)
    frame, scan = whole.index(b"\xff\xc0") + 5, whole.index(b"\xff\xda")
    stream = io.BytesIO()
    photo.save(stream, "GIF")
    kinds = [
        whole[:len(whole) // 2], progressive[:-30], png(photo)[:900], b"", b"a text", stream.getvalue(),
        whole[:frame] + struct.pack(">HH", 65500, 65500) + whole[frame + 4:],
        whole[:scan + 200] + b"\xff\xd0" * 9 + whole[scan + 400:],
    ]
    return ".jpg", kinds[index % len(kinds)]


def photos(folder, count):
    broken = []
    for index in range(count):
        is_broken = index % 11 == 5
        ending, data = broken_photo(index // 11) if is_broken else odd_photo(index)
        if count >= 100 and index == 4:
            ending, data = ".jpg", jpeg(Image.fromarray(np.tile(np.asarray(picture(1000, 500)), (10, 6, 1))))
        # Folders below a class are of the class; names are those that cameras and people give.
        place = ["ant", "bee/of 2024", "größer"][index % 3]
        name = f"{place}/Photo {index}{ending}"
        broken += [name] if is_broken else []
        os.makedirs(f"{folder}/{place}", exist_ok=True)
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    print(json.dumps(broken))


if __name__ == "__main__":
    kind, folder, *rest = sys.argv[1:]
    {"decoding": decoding, "resizing": resizing, "photos": photos}[kind](folder, *map(int, rest))
