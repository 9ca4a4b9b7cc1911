#!/usr/bin/env python3
"""A second reader of Vex files, written from FORMAT.md and nothing else. Needs numpy.

Prints a line of JSON for each file it is given, or fails with what is wrong with one.
"""

import json
import struct
import sys

import numpy as np

MAGIC = bytes.fromhex("89 56 45 58 0D 0A 1A 0A")
END = 0xFFFFFFFF
# Code: what numpy calls a scalar, and elements of a scalar.
ELEMENTS = {1: ("<f4", 1), 2: ("<f2", 1), 3: ("i1", 1), 4: ("u1", 1), 5: ("<u8", 64)}
METRICS = {1: "squared-euclidean", 2: "inner-product", 3: "cosine", 4: "hamming", 5: "jaccard"}
HEADER = struct.Struct("<8sHHIIIIBBHQ16sQIIIBBBBHHI8III")
FIELDS = (
    "magic major minor header_length compatible read_only_compatible incompatible align_log2 block_log2 sections"
    " file_length segment_id sequence dim stride count element metric kind levels m m0 entry"
).split()


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def section_checksum(data):
    blocks = [crc32c(data[at : at + 65536]) for at in range(0, len(data), 65536)]
    return crc32c(struct.pack(f"<{len(blocks)}I", *blocks))


def check(condition, message):
    if not condition:
        raise SystemExit(message)


def up(number, multiple):
    return -(-number // multiple) * multiple


def read_header(data):
    check(len(data) >= 128, "shorter than a header")
    values = HEADER.unpack(data[:128])
    header = dict(zip(FIELDS, values))
    header["level_count"] = list(values[len(FIELDS) : len(FIELDS) + 8])
    table_checksum, checksum = values[-2:]
    check(header["magic"] == MAGIC and header["major"] == 1, "not a Vex file of version 1")
    check(crc32c(data[:124]) == checksum, "header checksum")
    check(header["header_length"] == 128, "header length")
    check((header["align_log2"], header["block_log2"]) == (6, 16), "alignment or block")
    check(header["incompatible"] & ~7 == 0, "a feature of a later version")
    check(header["file_length"] == len(data), "file length")
    check(data[-16:] == struct.pack("<QI", len(data), checksum) + b"XEV\n", "trailer")
    check(1 <= header["sections"] <= 32, "number of sections")
    check(crc32c(data[128 : 128 + 32 * header["sections"]]) == table_checksum, "table checksum")
    check(header["element"] in ELEMENTS and header["metric"] in METRICS and header["kind"] == 1, "codes")
    check((header["element"] == 5) == (header["metric"] >= 4), "metric of another element")
    check(header["element"] <= 2 or not header["compatible"] & 7, "codes of integers or bits")
    check(header["m0"] == 2 * header["m"], "m0")
    counts, levels = header["level_count"], header["levels"]
    check(counts[0] == header["count"] and counts == sorted(counts, reverse=True), "level counts")
    check(not any(counts[levels:]) and (header["count"] == 0 or all(counts[:levels])), "level counts")
    check(header["entry"] < counts[levels - 1] if header["count"] else header["entry"] == END, "entry")
    return header


def read_sections(data, header):
    """The bytes of each section by its tag, and the rows of the table."""
    sections, rows, end = {}, [], 128 + 32 * header["sections"]
    for at in range(128, end, 32):
        tag, flags, offset, length, size, checksum = struct.unpack("<4sIQQII", data[at : at + 32])
        tag = tag.decode("ascii")
        check(offset == up(end, 64) and not any(data[end:offset]), f"{tag}: offset or padding")
        end = offset + length
        check(end <= len(data) - 16 and flags == (tag in ("CODE", "TERM", "MEAN")), f"{tag}: end or flags")
        sections[tag] = data[offset:end]
        check(section_checksum(sections[tag]) == checksum, f"{tag}: checksum")
        rows.append({"tag": tag, "offset": offset, "length": length, "size": size, "checksum": checksum})
    check(up(end, 64) == len(data) - 16 and not any(data[end:-16]), "padding before the trailer")
    expected = [] if header["incompatible"] & 1 else ["VECS"]
    expected += ["CODE", "TERM", "MEAN"] if header["compatible"] & 7 else []
    expected += ["KEYS"] + [f"LNK{level}" for level in range(header["levels"])]
    expected += ["COPY"] if header["incompatible"] & 4 else []
    expected += ["TOMB"] if header["incompatible"] & 2 else []
    check(list(sections) == expected + ["META"], "sections")
    return sections, rows


def read_vectors(data, header):
    dim, (name, each) = header["dim"], ELEMENTS[header["element"]]
    rows = np.frombuffer(data, name).reshape(header["count"], header["stride"])
    vectors, padding = np.split(rows, [up(dim, each) // each], 1)
    check(rows.itemsize * rows.shape[1] == up(vectors.itemsize * vectors.shape[1], 64), "stride")
    check(not np.ascontiguousarray(padding).view("u1").any() and np.isfinite(vectors).all(), "vectors")
    if dim % each:
        check(not (vectors[:, -1] >> dim % each).any(), "bits beyond a vector")
    if METRICS[header["metric"]] == "cosine":
        lengths = np.linalg.norm(vectors.astype("f8"), axis=1)
        check(((lengths > 0) if header["element"] > 2 else abs(lengths - 1) < 1e-3).all(), "lengths of vectors")
    return vectors


def read_links(sections, header, level):
    width, count = header["m"] if level else header["m0"], header["level_count"][level]
    rows = np.frombuffer(sections[f"LNK{level}"], "<u4").reshape(count, width)
    links = []
    for node, row in enumerate(rows.tolist()):
        degree = row.index(END) if END in row else width
        links.append(row[:degree])
        check(set(row[degree:]) <= {END}, f"node {node}: links after the end of its row")
        check(len(set(row[:degree])) == degree and node not in row[:degree], f"node {node}: links twice")
        check(all(link < count for link in row[:degree]), f"node {node}: links to nowhere")
    return links


def read_copies(sections, header, links, deleted):
    """Checks that chains hang together, and returns what each node names as the next and as the one before."""
    rows = np.frombuffer(sections["COPY"], "<u4").reshape(header["count"], 2).tolist()
    check(any(before != END for _, before in rows), "no copy")
    for node, (after, before) in enumerate(rows):
        if before == END:
            check(after == END or rows[after][1] == node, f"node {node}: not named back")
            continue
        check(node != header["entry"] and not any(level[node] for level in links if node < len(level)), f"node {node}: links")
        if (after, before) == (node, node):
            check(deleted[node], f"node {node}: in no chain")
            continue
        check(rows[before][0] == node and (after == END or rows[after][1] == node), f"node {node}: not named back")
        check(rows[before][1] == END or before < node, f"node {node}: not ascending")
    return rows


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def rotated(rows):
    rows = rows.copy()
    n = rows.shape[1]
    p = 1 << n.bit_length() - 1
    for stream in range(4):
        if stream % 2 and p == n:
            continue
        seed = 0x5EED0F516E5F11B5 + stream
        words = [mix((seed + (i + 1) * 0x9E3779B97F4A7C15) % 2**64) for i in range(-(-n // 64))]
        rows *= [1 - 2 * (words[i // 64] >> i % 64 & 1) for i in range(n)]
        part = rows[:, -p:] if stream % 2 else rows[:, :p]
        half = 1
        while half < p:
            pairs = part.reshape(len(rows), -1, 2, half)
            part[:] = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], 2).reshape(part.shape)
            half *= 2
        part /= np.sqrt(p)
    return rows


def check_codes(sections, header, vectors):
    """Recomputes the terms from codes and vectors."""
    dim, count = header["dim"], header["count"]
    codes = np.frombuffer(sections["CODE"], "u1")
    offset, factor = np.frombuffer(sections["TERM"], "<f4").reshape(count, 2).T
    mean = np.frombuffer(sections["MEAN"], "<f4")
    check(mean.size == dim and np.isfinite(mean).all(), "mean")
    if count == 0:
        return check(codes.size == 0, "codes of an empty index")
    o = (vectors - mean).astype("f8")
    expected = -(o @ mean) if METRICS[header["metric"]] == "inner-product" else (o * o).sum(1)
    check(np.allclose(offset, expected, 1e-4, 1e-5), "offsets")
    kind = header["compatible"] & 7
    check(codes.size == count * {1: up(dim, 64), 2: up(dim, 128) // 2, 4: up(dim, 256) // 2}[kind], "width of codes")
    if kind == 1:
        codes = codes.reshape(count, -1)
        check((codes[:, :dim] > 0).all() and (codes[:, dim:] == 128).all(), "codes beyond the vector")
        c = codes[:, :dim].astype("f8") - 128
    else:
        if kind == 2:
            lines = codes.reshape(count, -1, 64)
            c = np.concatenate([lines & 15, lines >> 4], 2).reshape(count, -1) * 2.0 - 15
        else:
            upper, lower = codes.reshape(2, count, -1, 64)
            c = np.concatenate([4 * (upper >> s & 3) + (lower >> s & 3) for s in (0, 4, 2, 6)], 2).reshape(count, -1) * 2.0 - 15
        o = rotated(np.pad(o, ((0, 0), (0, c.shape[1] - dim))))
    product = (c * o).sum(1)
    check(np.allclose(factor, np.where(product > 0, (o * o).sum(1) / product, 0), 1e-4, 1e-6), "factors")


def read(data):
    header = read_header(data)
    sections, table = read_sections(data, header)
    dim, count = header["dim"], header["count"]
    found = {name: value for name, value in header.items() if isinstance(value, (int, list))}
    found["table"] = table
    found["keys"] = np.frombuffer(sections["KEYS"], "<u8").tolist()
    found["links"] = [read_links(sections, header, level) for level in range(header["levels"])]
    deleted = np.unpackbits(np.frombuffer(sections.get("TOMB", b""), "u1"), bitorder="little")
    check(deleted.any() == ("TOMB" in sections) and not deleted[count:].any(), "tombstones")
    found["tombstones"] = np.flatnonzero(deleted).tolist()
    found["copies"] = read_copies(sections, header, found["links"], deleted) if "COPY" in sections else []
    found["ef_construction"], found["build_flags"], found["seed"] = struct.unpack("<IIQ16x", sections["META"])
    if "VECS" in sections:
        vectors = read_vectors(sections["VECS"], header)
        for node, (after, before) in enumerate(found["copies"]):
            check(before == END or (vectors[node] == vectors[before]).all(), f"node {node}: another vector")
        # Floats by their bits.
        found["vectors"] = vectors.view(ELEMENTS[header["element"]][0].replace("f", "u")).tolist()
        if "CODE" in sections:
            check_codes(sections, header, vectors.astype("f4"))
    return found


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        print(json.dumps(read(file.read())))
