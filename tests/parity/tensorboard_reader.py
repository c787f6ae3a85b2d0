"""Reads a folder of event files as TensorBoard does and prints {tag: [[step, value], ...]}; a bad CRC ends with an error.

usage: tensorboard_reader.py FOLDER
"""
import glob
import json
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator, event_file_loader
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

folder = sys.argv[1]
files = sorted(glob.glob(folder + "/events.out.tfevents.*"))
events = 0
for name in files:
    data = open(name, "rb").read()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        body = data[at + 12 : at + 12 + length]
        if struct.unpack_from("<I", data, at + 8)[0] != masked_crc32c(data[at : at + 8]):
            sys.exit(f"{name}: CRC of the length at byte {at} is wrong")
        if struct.unpack_from("<I", data, at + 12 + length)[0] != masked_crc32c(body):
            sys.exit(f"{name}: CRC of the record at byte {at} is wrong")
        at += 16 + length
        events += 1
loaded = sum(len(list(event_file_loader.EventFileLoader(name).Load())) for name in files)
if loaded != events:
    sys.exit(f"{events} records written, {loaded} events loaded")

accumulator = event_accumulator.EventAccumulator(folder, {event_accumulator.SCALARS: 0})
accumulator.Reload()
scalars = {
    tag: [[event.step, event.value] for event in accumulator.Scalars(tag)]
    for tag in accumulator.Tags()["scalars"]
}
print(json.dumps({"files": len(files), "scalars": scalars}))
