"""Prints what TensorBoard's own reader finds in a folder of event files: scalars, images and texts, as JSON."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# Purging is off, so that a step that stands in two files is seen twice.
events = EventAccumulator(
    sys.argv[1], size_guidance={"scalars": 0, "images": 0, "tensors": 0}, purge_orphaned_data=False)
events.Reload()
tags = events.Tags()
print(json.dumps({
    "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
    "images": {
        tag: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in events.Images(tag)]
        for tag in tags["images"]},
    "texts": {
        tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in events.Tensors(tag)] for tag in tags["tensors"]},
}))
