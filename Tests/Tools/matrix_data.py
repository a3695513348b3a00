"""The images of the behaviour matrix: 8x8, three channels, four classes, always the same bytes."""

import os
import random
import struct


def npy(path, kind, shape, data):
    """A NumPy array, format 1.0."""
    header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(data)


def make(folder, classes=4, train=40, test=10):
    """A pattern for each class, and noise over it."""
    dice = random.Random(1)
    patterns = [[dice.random() for _ in range(8 * 8 * 3)] for _ in range(classes)]
    os.makedirs(folder)
    for part, per_class in (("train", train), ("test", test)):
        images, labels = bytearray(), []
        for index in range(per_class * classes):
            labels.append(index % classes)
            images += bytes(int(110 * value + 145 * dice.random())
                            for value in patterns[labels[-1]])
        shape = (len(labels), 8, 8, 3)
        npy(os.path.join(folder, f"x_{part}.npy"), "|u1", shape, bytes(images))
        npy(os.path.join(folder, f"y_{part}.npy"), "<i8", (len(labels),),
            struct.pack(f"<{len(labels)}q", *labels))
