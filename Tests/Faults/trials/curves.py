"""TensorBoard's event files, read without sprint."""

import collections
import struct


def steps(folder):
    """The steps of the tag `loss/training` in all event files, by the files' names; None if a record is broken."""
    found = []
    # A fault may have put a folder in the place of a file.
    for path in sorted(path for path in folder.glob("events.out.tfevents.*") if path.is_file()):
        for record in records(path.read_bytes()):
            if record is None:
                return None
            event = fields(record)
            for value in (value for summary in event.get(5, []) for value in fields(summary).get(1, [])):
                if fields(value).get(1) == [b"loss/training"]:
                    found.append(event.get(2, [0])[0])
    return found


def records(data):
    """The records of a file; None for one that is cut off."""
    place = 0
    while place < len(data):
        length = struct.unpack_from("<Q", data, place)[0] if len(data) - place >= 16 else None
        if length is None or length > len(data) - place - 16:
            yield None
            return
        yield data[place + 12:place + 12 + length]
        place += 16 + length


def fields(data):
    """The fields of a protocol buffer's message by number."""
    found, place = collections.defaultdict(list), 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            length = {1: 8, 5: 4}.get(key & 7) or varint()
            value = data[place:place + length]
            place += length
        found[key >> 3].append(value)
    return found
