"""Writes the small tokenizers of src/test/resources/tokenizers (python3 make-tokenizers.py OUT): one of each kind that the Hub has, with real algorithms and
small vocabularies, and inside each a truncation and a padding that nobody must follow."""
import json, os, sys
out = sys.argv[1]
os.makedirs(out, exist_ok=True)

TRUNCATION = {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}

def padding(pad_id, token):
    return {"strategy": {"Fixed": 12}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": pad_id,
            "pad_type_id": 0, "pad_token": token}

def added(pairs):
    return [dict(id=i, content=t, single_word=False, lstrip=t == "<mask>", rstrip=False, normalized=False, special=True) for i, t in pairs]

def write(name, tokenizer):
    with open(os.path.join(out, name + ".json"), "w") as f:
        json.dump(tokenizer, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")

def template(first, last, ids):
    piece = lambda t: {"SpecialToken": {"id": t, "type_id": 0}}
    return {"type": "TemplateProcessing",
            "single": [piece(first), {"Sequence": {"id": "A", "type_id": 0}}, piece(last)],
            "pair": [piece(first), {"Sequence": {"id": "A", "type_id": 0}}, piece(last), {"Sequence": {"id": "B", "type_id": 1}},
                     {"SpecialToken": {"id": last, "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [ids[t]], "tokens": [t]} for t in (first, last)}}

letters = [chr(c) for c in range(97, 123)]
# WordPiece, cased and not
for cased in (False, True):
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    signs = letters + ([l.upper() for l in letters] if cased else []) + list("0123456789.,!?-'\"[]()/:;#@%&<>|_")
    vocab += signs + ["##" + s for s in letters + list("0123456789")] + (["##" + l.upper() for l in letters] if cased else [])
    vocab += ["hello", "world", "the", "wor", "##ld", "##ing", "caf", "##e", "cafe", "##\u00e9", "\u00e9", "\u6df1", "\u5ea6", "\u5b66", "\u4e60", "\u05e9", "##\u05dc", "##\u05d5", "##\u05dd",
              "\u0645", "##\u0631", "\u0434", "##\u0430", "\u00fc", "##\u00fc", "\u00df", "##\u00df", "\u2026", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
    if cased:
        vocab += ["Hello", "World", "The"]
    vocab = list(dict.fromkeys(vocab))
    ids = {t: i for i, t in enumerate(vocab)}
    write("wordpiece-cased" if cased else "wordpiece", {
        "version": "1.0", "truncation": TRUNCATION, "padding": padding(0, "[PAD]"),
        "added_tokens": added([(ids[t], t) for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]),
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": not cased},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": template("[CLS]", "[SEP]", ids),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids}})

# byte-level BPE, as RoBERTa has it
def byte_alphabet():
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, more = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + more); more += 1
    return [table[b] for b in range(256)], table
alphabet, table = byte_alphabet()
spaced = lambda text: "".join(table[b] for b in text.encode())
words = ["hello", " hello", " world", " the", "ing", "er", " caf", "\u00e9", " \u6df1", "\U0001f600"]
merges, seen = [], set()
tokens = []
for word in words:
    parts = [table[b] for b in word.encode()]
    while len(parts) > 1:
        pair = (parts[0], parts[1])
        if pair not in seen:
            seen.add(pair); merges.append(list(pair)); tokens.append("".join(pair))
        parts = ["".join(pair)] + parts[2:]
vocab = ["<s>", "<pad>", "</s>", "<unk>"] + alphabet + tokens + ["<mask>"]
vocab = list(dict.fromkeys(vocab))
ids = {t: i for i, t in enumerate(vocab)}
write("bpe", {
    "version": "1.0", "truncation": TRUNCATION, "padding": padding(1, "<pad>"),
    "added_tokens": added([(ids[t], t) for t in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]),
    "normalizer": None,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": False},
    "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
              "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": ids, "merges": merges}})

# Unigram, as XLM-RoBERTa has it
pieces = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["\u2581", -3.0]]
pieces += [[p, s] for p, s in (("\u2581hello", -5.0), ("\u2581world", -5.5), ("\u2581the", -4.0), ("\u2581wor", -6.5), ("ld", -6.0), ("ing", -4.5), ("\u2581caf", -7.0),
           ("\u2581\u6df1\u5ea6", -8.0), ("\u5b66\u4e60", -8.5), ("\u05e9\u05dc\u05d5\u05dd", -9.0), ("\u0645\u0631\u062d\u0628\u0627", -9.0), ("\u00fc", -7.5), ("\u00e9", -7.2))]
pieces += [[l, -8.0 - i / 10] for i, l in enumerate(letters + [l.upper() for l in letters] + list("0123456789.,!?-'\"[]()/:;#@%&<>|_"))]
pieces += [["<mask>", 0.0]]
write("unigram", {
    "version": "1.0", "truncation": TRUNCATION, "padding": padding(1, "<pad>"),
    "added_tokens": added([(0, "<s>"), (1, "<pad>"), (2, "</s>"), (3, "<unk>"), (len(pieces) - 1, "<mask>")]),
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
    "post_processor": template("<s>", "</s>", {"<s>": 0, "</s>": 2}),
    "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
    "model": {"type": "Unigram", "unk_id": 3, "vocab": pieces, "byte_fallback": False}})

# words without a post-processor
write("words", {
    "version": "1.0", "truncation": TRUNCATION, "padding": padding(0, "[UNK]"), "added_tokens": [], "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
    "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "hello": 1, "world": 2, "the": 3, "[": 4, "]": 5}}})
