// Writes what another stack makes of texts: token ids, vectors, scores. See README.md beside this file.
//
//   node texts-reference.mjs HUB OUT.json NAME=TOKENIZER.json ...

import { readFileSync, writeFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { AutoModel, AutoModelForSequenceClassification, env, softmax, Tensor } from '@huggingface/transformers';

/** One of each kind that went wrong somewhere. */
const TEXTS = {
  spaces: '   \t ',
  emoji: 'hello 👩‍👩‍👧‍👦 👍🏽 😀 ☕️ 🏳️‍🌈',
  'right to left': 'שלום hello مرحبا بالعالم 123',
  composed: 'café Ångström ﬁ',
  decomposed: 'cafe\u0301 A\u030angstro\u0308m fi',
  cjk: '深度学习 モデル 한국어 hello世界',
  control: 'hel\u0000lo \u0007wor\u200bld\u0085 \ufeffthe\u00ad \u2028end',
  long: 'hello world the '.repeat(400),
  'one long word': 'x'.repeat(300) + 'ing',
  'special tokens': '[CLS] hello [SEP] world [PAD] <s> the </s> <mask> <pad> [UNK] <unk>',
  'tabs and lines': 'hello\tworld\r\nthe\n\n  world\u00a0hello\u3000the',
  'mixed scripts': 'Hello Wörld да über straße STRASSE İstanbul ǅ 𝕳𝖊𝖑𝖑𝖔 1½ ² №',
  astral: 'the \u{1f600} \u{1d11e} \u{1f9d1}\u{1f3ff} world',
};

/** Tokens that the models of HUB bear; what the files say, worked out by hand. */
const MOST_TOKENS = 64;

const [hub, out, ...tokenizers] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = hub;
const settings = { dtype: 'fp32', local_files_only: true };
const reference = { texts: TEXTS, ids: {}, vectors: {}, scores: {} };

const each = async (answer) => {
  const answers = {};
  for (const [kind, text] of Object.entries(TEXTS)) {
    answers[kind] = await answer(text);
  }
  return answers;
};

for (const pair of tokenizers) {
  const [name, file] = pair.split('=');
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(file, 'utf8')), {});
  reference.ids[name] = await each((text) => tokenizer.encode(text).ids);
}

/** What a model says of a text; cut as Transformers in Python does, which keeps the token that ends a text. */
async function ask(model, name, text) {
  const { ids } = tokenizerOf(name).encode(text);
  const cut = ids.length <= MOST_TOKENS ? ids : [...ids.slice(0, MOST_TOKENS - 1), ids[ids.length - 1]];
  const row = (value) => new Tensor('int64', BigInt64Array.from(cut, value), [1, cut.length]);
  return model({ input_ids: row(BigInt), attention_mask: row(() => 1n) });
}

const tokenizerOf = (name) => new Tokenizer(JSON.parse(readFileSync(`${hub}/${name}/tokenizer.json`, 'utf8')), {});

const sentences = await AutoModel.from_pretrained('sentences', settings);
reference.vectors.sentences = await each(async (text) => {
  const { last_hidden_state: hidden } = await ask(sentences, 'sentences', text);
  const first = [...hidden.data].slice(0, hidden.dims[2]);
  const length = Math.hypot(...first);
  return first.map((value) => value / length);
});

const feelings = await AutoModelForSequenceClassification.from_pretrained('feelings', settings);
reference.scores.feelings = await each(async (text) => {
  const { logits } = await ask(feelings, 'feelings', text);
  return Object.fromEntries(softmax([...logits.data]).map((score, i) => [feelings.config.id2label[i], score]));
});

// of one logit: this library's pipeline takes softmax, Transformers in Python takes sigmoid
const relevance = await AutoModelForSequenceClassification.from_pretrained('relevance', settings);
reference.scores.relevance = await each(async (text) => {
  const { logits } = await ask(relevance, 'relevance', text);
  return { LABEL_0: 1 / (1 + Math.exp(-logits.data[0])) };
});

const lines = JSON.stringify(reference, null, 1).replace(/,\s+(?=[-\d])|(?<=\[)\s+|\s+(?=\])/g, (found) => (found.startsWith(',') ? ',' : ''));
writeFileSync(out, lines + '\n');
