"""Reference values of text metrics: the formulas of data-juicer's filters (commit 1dc20a5), written anew and plainly in Python.

The set of special characters is data-juicer's own, read from its file, with the package emoji 2.2.0 (Debian: python3-emoji).
Run: python3 text_statistics.py special_characters.py > text_statistics.json
"""
import json
import math
import random
import runpy
import sys
from collections import Counter

SPECIAL = runpy.run_path(sys.argv[1])["SPECIAL_CHARACTERS"]


def words_of(text):
    words = []
    for line in text.split("\n"):
        for cell in line.split("\t"):
            for word in cell.split(" "):
                while word and word[0] in SPECIAL:
                    word = word[1:]
                while word and word[-1] in SPECIAL:
                    word = word[:-1]
                if word:
                    words.append(word)
    return words


def char_rep(text, n):
    counts = Counter(text[i:i + n] for i in range(len(text) - n + 1))
    if not counts:
        return 0.0
    repeated = sum(1 for count in counts.values() if count > 1)
    most = min(int(math.sqrt(len(counts))), repeated)
    return sum(count for _, count in counts.most_common(most)) / sum(counts.values())


def word_rep(text, n):
    words = words_of(text.lower())
    counts = Counter(" ".join(words[i:i + n]) for i in range(len(words) - n + 1))
    total = sum(counts.values())
    return sum(count for count in counts.values() if count > 1) / total if total else 0.0


def measure(text):
    lines = text.splitlines()
    share = lambda test: sum(1 for c in text if test(c)) / len(text) if text else 0.0
    return {
        "text": text,
        "num_words": len(words_of(text)),
        "alnum_ratio": share(str.isalnum),
        "special_char_ratio": share(lambda c: c in SPECIAL),
        "char_rep_ratio": char_rep(text, 10),
        "char_rep_ratio:3": char_rep(text, 3),
        "word_rep_ratio": word_rep(text, 10),
        "word_rep_ratio:2": word_rep(text, 2),
        "avg_line_length": len(text) / len(lines) if lines else 0.0,
        "max_line_length": max(map(len, lines)) if lines else 0,
    }


FIXED = [
    "", " ", "\n", "\r\n", "a", "A dog runs across a field.", "2024 - 12 !!", "<__dj__image> two cats on a sofa <|__dj__eoc|>",
    "one\ntwo\r\nthree\rfour\x0bfive\x0csix\x1cseven\x1deight\x1enine\x85ten\u2028eleven\u2029twelve", "\n\n\n", "a\n", "a\r\r\nb",
    "Die Äpfel, 3 Stück — „süß“ und (sehr) grün…", "\u732b\u5728\u6c99\u53d1\u4e0a\uff0c\u4e24\u53ea\u3002", "Привет, мир! Г Г",
    "\U0001f600\U0001f44d\U0001f3fd great \U0001f389 photo \U0001f468\u200d\U0001f469\u200d\U0001f467 \u263a \U00020000\U00020000",
    "\u0664\u0665\u0666 \u00bd \u216b \u00b2 x\u0301 \u0939\u093f\u0928\u094d\u0926\u0940", "tab\tseparated\t\twords  and   spaces\u00a0here",
    "no one no one no one no one no one no one no one no one no one no one no one no one",
    "The cat sat. The cat sat. The cat sat. the CAT sat! The cat sat? The cat sat; The cat sat: The cat sat, The cat sat",
    "=" * 60, "abcdefghij" * 5, "'quoted' \"double\" don't --dashes-- (x)y [z]",
]


def generated(seed):
    rng = random.Random(seed)
    pool = ["cat", "dog", "Cat", "sofa.", "2", "--", "\U0001f600", "émigré", "猫", "x1", "(a)", "\n", "\t", "  ", "\r\n", "the", "the", "a", "a"]
    return " ".join(rng.choice(pool) for _ in range(rng.randrange(1, 120)))


json.dump([measure(text) for text in FIXED + [generated(seed) for seed in range(40)]], sys.stdout, indent=0)
