# Makes two small byte-level BPE tokenizers, one as CLIP's (lower case, </w> ends a word), one as GPT-2's, from the words of a text.
# Usage: python3 tokenizers.py TEXT FOLDER, here with docs/experiments.md of release 0.1; then tokenizers.mjs writes expected.json.
import collections, json, re, sys, unicodedata
def byte_chars():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    chars, n = {b: chr(b) for b in kept}, 0
    for b in range(256):
        if b not in chars:
            chars[b] = chr(256 + n); n += 1
    return chars
B = byte_chars()
def train(words, merges_wanted, suffix):
    counts = collections.Counter(words)
    split = {w: tuple(B[b] for b in w.encode()) for w in counts}
    if suffix:
        split = {w: s[:-1] + (s[-1] + suffix,) for w, s in split.items()}
    merges = []
    while len(merges) < merges_wanted:
        pairs = collections.Counter()
        for w, s in split.items():
            for p in zip(s, s[1:]):
                pairs[p] += counts[w]
        if not pairs: break
        best = max(pairs, key=lambda p: (pairs[p], p))
        if pairs[best] < 2: break
        merges.append(best)
        for w, s in split.items():
            out, i = [], 0
            while i < len(s):
                if i + 1 < len(s) and (s[i], s[i+1]) == best:
                    out.append(s[i] + s[i+1]); i += 2
                else:
                    out.append(s[i]); i += 1
            split[w] = tuple(out)
    return merges
text = open(sys.argv[1], encoding='utf-8').read()
chars = [B[b] for b in [*range(33, 127), *range(161, 173), *range(174, 256)]] + [B[b] for b in range(256) if not (33 <= b < 127 or 161 <= b < 173 or 174 <= b < 256)]
# CLIP
words = re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())
merges = train(words, 300, '</w>')
vocab = chars + [c + '</w>' for c in chars] + [a + b for a, b in merges] + ['<|startoftext|>', '<|endoftext|>']
clip = {"version": "1.0", "truncation": None, "padding": None,
 "added_tokens": [{"id": len(vocab)-2, "content": "<|startoftext|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": True},
                  {"id": len(vocab)-1, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}],
 "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"}, "behavior": "Removed", "invert": True}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}]},
 "post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", len(vocab)-1], "cls": ["<|startoftext|>", len(vocab)-2], "trim_offsets": False, "add_prefix_space": False},
 "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
 "model": {"type": "BPE", "dropout": None, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "fuse_unk": False,
           "vocab": {t: i for i, t in enumerate(vocab)}, "merges": [' '.join(m) for m in merges]}}
out = sys.argv[2]
def write(content, name):
    with open(f'{out}/{name}', 'w') as file:
        file.write(json.dumps(content, ensure_ascii=False, separators=(',', ':')) + '\n')
write(clip, 'clip.json')
write(clip['model']['vocab'], 'vocab.json')
open(out + '/merges.txt', 'w').write('#version: 0.2\n' + '\n'.join(clip['model']['merges']) + '\n')
# GPT-2
words = [m for m in re.findall(r"'s|'t| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+", text)]
merges = train(words, 300, '')
vocab = chars + [a + b for a, b in merges] + ['<|endoftext|>']
gpt2 = {"version": "1.0", "truncation": None, "padding": None,
 "added_tokens": [{"id": len(vocab)-1, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}],
 "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
 "post_processor": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}, "decoder": {"type": "ByteLevel"},
 "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
           "vocab": {t: i for i, t in enumerate(vocab)}, "merges": [' '.join(m) for m in merges]}}
write(gpt2, 'gpt2.json')
