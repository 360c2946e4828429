"""Writes the small models of src/test/resources/hub as the Hub has them, beside the tokenizers of make-tokenizers.py.

    python3 make-models.py TOKENIZERS OUT

Each has embeddings of tokens and positions, one attention over the tokens that the mask keeps, and a head."""
import json, os, shutil, sys
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
tokenizers, out = sys.argv[1:]
D = 8

def size(tokenizer):
    with open(os.path.join(tokenizers, tokenizer + ".json")) as f:
        vocab = json.load(f)["model"]["vocab"]
    return len(vocab)

def model(path, seed, vocab, rows, first, classes):
    r = np.random.RandomState(seed)
    init = lambda name, *shape: nh.from_array(r.uniform(-1, 1, shape).astype(np.float32), name)
    ints = lambda name, *v: nh.from_array(np.array(v, np.int64), name)
    weights = [init("tokens", vocab, D), init("positions", rows, D), init("query", D, D), init("value", D, D),
               ints("zero", 0), ints("one", 1), ints("two", 2), ints("first", first), nh.from_array(np.float32(-1e9), "far"), nh.from_array(np.float32(1), "unit")]
    n = h.make_node
    nodes = [n("Gather", ["tokens", "input_ids"], ["t"]), n("Shape", ["input_ids"], ["shape"]),
             n("Slice", ["shape", "one", "two", "zero"], ["length"]), n("Add", ["length", "first"], ["end"]),
             n("Slice", ["positions", "first", "end", "zero"], ["p"]), n("Add", ["t", "p"], ["x"]),
             n("MatMul", ["x", "query"], ["q"]), n("Transpose", ["x"], ["k"], perm=[0, 2, 1]), n("MatMul", ["q", "k"], ["s"]),
             n("Cast", ["attention_mask"], ["m"], to=T.FLOAT), n("Sub", ["unit", "m"], ["hidden"]), n("Mul", ["hidden", "far"], ["away"]),
             n("Unsqueeze", ["away", "one"], ["aways"]), n("Add", ["s", "aways"], ["masked"]), n("Softmax", ["masked"], ["a"], axis=-1),
             n("MatMul", ["a", "x"], ["c"]), n("MatMul", ["c", "value"], ["v"]), n("Add", ["x", "v"], ["sum"])]
    if classes:
        weights += [init("head", D, classes), nh.from_array(np.array(0, np.int64), "start")]
        nodes += [n("Tanh", ["sum"], ["h"]), n("Gather", ["h", "start"], ["cls"], axis=1), n("MatMul", ["cls", "head"], ["logits"])]
        output = h.make_tensor_value_info("logits", T.FLOAT, ["batch_size", classes])
    else:
        nodes += [n("Tanh", ["sum"], ["last_hidden_state"])]
        output = h.make_tensor_value_info("last_hidden_state", T.FLOAT, ["batch_size", "sequence_length", D])
    inputs = [h.make_tensor_value_info(i, T.INT64, ["batch_size", "sequence_length"]) for i in ("input_ids", "attention_mask")]
    graph = h.make_graph(nodes, "g", inputs, [output], weights)
    made = h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(made)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    onnx.save(made, path)

def folder(name, tokenizer, files, **kwargs):
    at = os.path.join(out, name)
    model(os.path.join(at, "onnx", "model.onnx"), vocab=size(tokenizer), **kwargs)
    shutil.copy(os.path.join(tokenizers, tokenizer + ".json"), os.path.join(at, "tokenizer.json"))
    for file, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(at, file)), exist_ok=True)
        with open(os.path.join(at, file), "w") as f:
            json.dump(content, f, indent=1); f.write("\n")

folder("sentences", "wordpiece", {
    "config.json": {"architectures": ["BertModel"], "model_type": "bert", "max_position_embeddings": 64, "pad_token_id": 0, "position_embedding_type": "absolute"},
    "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": 64, "do_lower_case": True, "pad_token": "[PAD]"},
    "special_tokens_map.json": {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"},
    "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}],
    "1_Pooling/config.json": {"word_embedding_dimension": D, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False, "pooling_mode_weightedmean_tokens": False, "pooling_mode_lasttoken": False, "include_prompt": True},
    "config_sentence_transformers.json": {"__version__": {"sentence_transformers": "3.0.0"}, "prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"},
}, seed=1, rows=64, first=0, classes=0)
folder("feelings", "bpe", {
    "config.json": {"architectures": ["RobertaForSequenceClassification"], "model_type": "roberta", "max_position_embeddings": 66, "pad_token_id": 1,
        "id2label": {"0": "sad", "1": "so so", "2": "glad"}, "label2id": {"sad": 0, "so so": 1, "glad": 2}, "problem_type": None},
    "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "model_max_length": 64, "pad_token": "<pad>"},
}, seed=2, rows=66, first=2, classes=3)
folder("relevance", "unigram", {
    "config.json": {"architectures": ["XLMRobertaForSequenceClassification"], "model_type": "xlm-roberta", "max_position_embeddings": 66, "pad_token_id": 1,
        "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}},
    "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 512, "pad_token": "<pad>"},
}, seed=3, rows=66, first=2, classes=1)
