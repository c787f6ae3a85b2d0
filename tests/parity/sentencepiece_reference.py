"""PyPI sentencepiece's ids of generated texts, as JSON lines {"text": ..., "ids": [...], "tie": ...} (without start and end).

usage: sentencepiece_reference.py MODEL WORDS COUNT TYPE    WORDS: a text file, whose words the texts hold among others

tie: another way to split the text is as probable (of a unigram model); rounding, which differs between versions of the
library, decides between them.
"""
import json
import random
import sys
from pathlib import Path

import sentencepiece

SCRIPTS = [
    (0x01, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF),
    (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x2000, 0x206F), (0x2100, 0x218F), (0x2460, 0x24FF),
    (0x2580, 0x25FF), (0x3040, 0x30FF), (0x3300, 0x33FF), (0x4E00, 0x4FFF), (0xAC00, 0xADFF), (0xD7A4, 0xD7FF),
    (0xE000, 0xE0FF), (0xFB00, 0xFDFF), (0xFE00, 0xFFFF), (0x1D400, 0x1D4FF), (0x1F300, 0x1F64F), (0x10FF00, 0x10FFFF),
]
SEPARATORS = [" ", "", "  ", "\t", "\n", "\u3000", "\u200b", "\u2581", "-", ", "]
SPECIAL = ["<s>", "</s>", "<unk>", "<pad>", "\ufeff", "\ufffd", "e\u0301", "\u1112\u1161\u11ab", "\U0001f3c3\u200d\u2640\ufe0f"]


def part(rng, words):
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(words)
    if kind < 0.7:
        return rng.choice(SPECIAL)
    low, high = rng.choice(SCRIPTS)
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 8)))


def text(rng, words):
    parts = [part(rng, words) for _ in range(rng.randint(0, 12))]
    return "".join(p + rng.choice(SEPARATORS) for p in parts)


def is_tie(processor, sentence):
    ways = processor.nbest_encode(sentence, nbest_size=2)
    scores = [sum(processor.get_score(piece) for piece in way) for way in ways]
    return len(scores) == 2 and abs(scores[0] - scores[1]) < 1e-4


def main():
    model, words, count = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").split(), int(sys.argv[3])
    is_unigram = sys.argv[4] == "unigram"
    processor = sentencepiece.SentencePieceProcessor(model_file=model)
    rng = random.Random(20)
    for _ in range(count):
        sentence = text(rng, words)
        tie = is_unigram and is_tie(processor, sentence)
        print(json.dumps({"text": sentence, "ids": processor.encode(sentence), "tie": tie}))


main()
