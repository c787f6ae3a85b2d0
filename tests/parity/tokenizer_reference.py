"""open_clip's token ids of generated texts, as JSON lines {"text": ..., "ids": [...]} (start and end token included).

usage: tokenizer_reference.py texts COUNT   COUNT random texts of assigned characters that ftfy.fix_text
                                            leaves as they are
       tokenizer_reference.py characters    every assigned character (private use apart) in context
       tokenizer_reference.py entities      every HTML entity and every number of a special character, in several spellings
The last two leave ftfy out (NFC alone), so that they reach what it would repair.
"""
import html
import html.entities
import json
import random
import sys
import unicodedata

import ftfy
from open_clip import tokenizer as reference

SCRIPTS = [
    (0x21, 0x7E), (0xA1, 0x17F), (0x180, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58F),
    (0x591, 0x5F4), (0x600, 0x6FF), (0x700, 0x74F), (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF), (0xE01, 0xE5B),
    (0xF00, 0xFBC), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F), (0x13A0, 0x13FD),
    (0x1780, 0x17F9), (0x1800, 0x18AA), (0x1E00, 0x1FFE), (0x2010, 0x205E), (0x2070, 0x20BF), (0x2100, 0x218B),
    (0x2190, 0x22FF), (0x2460, 0x24FF), (0x2500, 0x27BF), (0x2C00, 0x2DFF), (0x3041, 0x30FF), (0x4E00, 0x9FFF),
    (0xA640, 0xA69F), (0xAC00, 0xD7A3), (0xFE70, 0xFEFC), (0x10400, 0x1044F), (0x10A00, 0x10A58), (0x118A0, 0x118FF),
    (0x1D400, 0x1D7FF), (0x1E900, 0x1E95F), (0x1F100, 0x1F1FF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF),
]
ENTITIES = sorted(html.entities.html5)
COMBINING = [chr(c) for c in range(0x300, 0x370)]
NUMBERS = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Nd", "Nl", "No")]
SPACES = [" ", "  ", "\t", "\n", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000", "\x1c", "\x1f"]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'\u017f", "'\u017ft", "''s", "'x", "'l", "'"]
SPECIAL = ["<start_of_text>", "<end_of_text>", "<END_OF_TEXT>", "<\u017ftart_of_text>", "<start_of_text", "!<end_of_text>",
           "</w>", "<|endoftext|>"]
WORDS = ("playing guitar abseiling a photo of the man is doing Tai Chi high-jump can't we'll they've I'm rock'n'roll "
         "pull-ups 100m 3x3 vid30 U.S.A. e.g. naïve café Straße ΟΔΥΣΣΕΥΣ ΣΑΣ İstanbul ISIRDI ǅ ﬁn").split()


def character(rng):
    while True:
        low, high = rng.choice(SCRIPTS)
        c = chr(rng.randint(low, high))
        if unicodedata.category(c) != "Cn":
            return c


def entity(rng):
    name = rng.choice(ENTITIES)
    forms = [
        lambda: "&" + name,
        lambda: "&" + name.rstrip(";") + rng.choice(["", "x", "1", " ", "&", "é", "#"]),
        lambda: "&amp;" + name,
        lambda: "&amp;amp;" + name,
        lambda: f"&#{rng.choice([rng.randint(0, 0x300), rng.randint(0, 0x120000), 10 ** 30])}{rng.choice(';; a')}",
        lambda: f"&#{rng.choice('xX')}{rng.choice([rng.randint(0, 0x300), rng.randint(0xD7F0, 0x1FFFF)]):x}{rng.choice(';; g')}",
        lambda: rng.choice(["&", "&&", "&#", "&#;", "&#x;", "&#xg;", "&;", "&a", "&lt", "&notit;", "&notin;", "&ampamp;"]),
        lambda: "&" + "a" * rng.randint(28, 36) + rng.choice(["", ";", "é;"]),
    ]
    # ftfy resolves entities itself, unless it takes the text for HTML because of a '<'.
    return rng.choice(["<", ""]) + rng.choice(forms)()


def piece(rng):
    return rng.choice([
        lambda: rng.choice(WORDS),
        lambda: rng.choice(WORDS),
        lambda: rng.choice(WORDS).upper(),
        lambda: "".join(character(rng) for _ in range(rng.randint(1, 6))),
        lambda: "".join(chr(rng.randint(0x21, 0x7E)) for _ in range(rng.randint(1, 8))),
        lambda: rng.choice("aeionuΑΕא") + "".join(rng.choice(COMBINING) for _ in range(rng.randint(1, 3))),
        lambda: "".join(rng.choice(NUMBERS) for _ in range(rng.randint(1, 4))),
        lambda: rng.choice(WORDS) + rng.choice(CONTRACTIONS) + rng.choice(["", " ", "a"]),
        lambda: rng.choice(["Σ", "ΑΣ", "ΑΣΑ", "ΑΣ.", "ΑΣ.Α", "ΣΣ", "Α\u00adΣ\u00ad", "Α:Σ:", "İ", "Iİ\u0307", "ı"]),
        lambda: rng.choice(SPECIAL),
        lambda: entity(rng),
        lambda: rng.choice(["👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "🏳️‍🌈", "😀😀😀", "\u202bשלום\u202c", "مرحبا بالعالم", "\u200b", "\ue000"]),
        lambda: "".join(rng.choice("!?.,-_'<>&#*") for _ in range(rng.randint(1, 12))),
        lambda: rng.choice("aA9.é") * rng.randint(1, 60),
    ])()


def random_text(rng):
    text = ""
    for _ in range(rng.randint(1, 8)):
        text += piece(rng)
        if rng.random() < 0.7:
            text += rng.choice(SPACES) * rng.choice([1, 1, 1, 1, 2, 40])
    return text


def is_comparable(text):
    """False if ftfy repairs it, or where it names characters whose class depends on the version of Unicode."""
    shown = html.unescape(html.unescape(text))
    return ftfy.fix_text(text) == text and all(unicodedata.category(c) != "Cn" for c in shown)


def texts(count):
    rng = random.Random(20240)
    while count > 0:
        text = random_text(rng)
        if is_comparable(text):
            count -= 1
            yield text


def characters():
    assigned = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    for start in range(0, len(assigned), 50):
        yield " ".join(f"a{c}b !{c}!{c}9" for c in assigned[start:start + 50])


def entities():
    for name in ENTITIES:
        yield f"&{name} &{name}x &{name[:-1]} &amp;{name} &{name}{name} &{name.upper()}é"
    numbers = [*range(0x180), *range(0xD7FE, 0xE002), *range(0xFDCE, 0xFDF2)]
    numbers += [plane * 0x10000 + offset for plane in range(18) for offset in (0, 0xFFFD, 0xFFFE, 0xFFFF)]
    for number in numbers:
        yield f"a&#{number};b &#{number}b &#x{number:X};b &#X{number:06x}g &amp;#{number};"


def main():
    tokenizer = reference.SimpleTokenizer()
    if sys.argv[1] == "texts":
        generated = texts(int(sys.argv[2]))
    else:
        reference.ftfy.fix_text = lambda text: unicodedata.normalize("NFC", text)
        generated = {"characters": characters, "entities": entities}[sys.argv[1]]()
    for text in generated:
        ids = [tokenizer.sot_token_id] + tokenizer.encode(text) + [tokenizer.eot_token_id]
        print(json.dumps({"text": text, "ids": ids}))


if __name__ == "__main__":
    main()
