"""Prints the bytes of the pixels of a PNG file, 8-bit grey or RGB; checks every chunk. PNG specification, section 9."""
import struct
import sys
import zlib

data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, packed, names = 8, b"", []
while at < len(data):
    length, name = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + length]
    assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(name + body)
    if name == b"IHDR":
        width, height, bits, kind = struct.unpack(">IIBB", body[:10])
    packed += body if name == b"IDAT" else b""
    names.append(name)
    at += 12 + length
assert names[0] == b"IHDR" and names[-1] == b"IEND" and bits == 8
step = {0: 1, 2: 3}[kind]
row = width * step
raw, above, pixels = zlib.decompress(packed), bytes(row), bytearray()
assert len(raw) == height * (row + 1)


def paeth(a, b, c):
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]


for y in range(height):
    kind, line = raw[y * (row + 1)], bytearray(raw[y * (row + 1) + 1:(y + 1) * (row + 1)])
    for i in range(row):
        a, c = (line[i - step], above[i - step]) if i >= step else (0, 0)
        b = above[i]
        line[i] = (line[i] + [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) & 255
    above = bytes(line)
    pixels += line
print(*pixels)
