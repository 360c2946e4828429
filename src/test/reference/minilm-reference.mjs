// Writes the reference embeddings that the Java side is compared with. See README.md beside this file.
//
//   node minilm-reference.mjs MODEL.onnx UNROUNDED.onnx TOKENIZER.json OUT.json
//
// Each text runs alone (batch 1, no padding): the model quantises its activations at run time, with one
// scale for the whole batch, so neighbours and padding would move the result.
//
// UNROUNDED.onnx is the same model without rounding its activations: how far its embedding is from the model's own
// tells what rounding does to a text, and so how far two processors may differ.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import * as ort from 'onnxruntime-node';

const MAX_TOKENS = 512; // positions the model knows, [CLS] and [SEP] included
const HIDDEN = 384;
const SEP = 102;
const SIGNIFICANT_DIGITS = 9; // enough for every float32 to survive the way through text

const HARBOUR =
  'The harbour master writes down every ship that comes in before dawn, its flag, its cargo and the hour, ' +
  'and at noon a clerk copies the list for the customs house across the square. ';

const TEXTS = [
  'hello world',
  'A cat sits on the warm windowsill and watches the rain.',
  'What is the capital of France?',
  HARBOUR.repeat(5).trim(), // more than 128 tokens, where the tokenizer's own file would cut
  HARBOUR.repeat(9).trim(), // more than 256 tokens
  HARBOUR.repeat(20).trim(), // more than 512 tokens: cut to 512
  'Wait -- what?! (Yes, "really"...) [see: §3.2; p. 4] #tag @home 50% a_b/c\\d ~ ^ $5 & more…',
  'Müßige Bären grüßen ärgerlich über Öl: Straße, Größe, Fußgängerübergänge.',
  'El niño comió piñata en el café; ça va déjà, naïve Zoë, smörgåsbord, Dvořák.',
  '深度学习模型在图形处理器上运行。',
  'Great job 🎉👍🏽 see you soon 👩‍👩‍👧‍👦 ☕',
  'THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG',
  'a',
  '3.14159 1,000,000 2024-02-29 0x1F +49 30 1234567 1e-9 ½ ²',
  'public static int add(int a, int b) { return a + b; } // O(1)\n\tfor (var x : xs) sum += x;',
  'Donaudampfschifffahrtsgesellschaftskapitän, pneumonoultramicroscopicsilicovolcanoconiosis, ' + 'x'.repeat(101),
];

/** Token ids with [CLS] and [SEP], cut on the right to what the model can take. */
function encode(tokenizer, text) {
  const { ids } = tokenizer.encode(text);
  return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), SEP];
}

/** The last hidden state of one text, row-major [tokens, HIDDEN]. */
async function run(session, ids) {
  const row = (value) => new ort.Tensor('int64', BigInt64Array.from(ids, value), [1, ids.length]);
  const { last_hidden_state: hidden } = await session.run({
    input_ids: row((id) => BigInt(id)),
    attention_mask: row(() => 1n),
    token_type_ids: row(() => 0n),
  });
  assert.deepEqual([...hidden.dims], [1, ids.length, HIDDEN]);
  return hidden.data;
}

/** Mean over the tokens (all are attended to), then unit length; summed in doubles. */
function pool(hidden) {
  const sum = new Float64Array(HIDDEN);
  hidden.forEach((value, i) => (sum[i % HIDDEN] += value));
  const tokens = hidden.length / HIDDEN;
  const mean = sum.map((value) => value / tokens);
  const norm = Math.hypot(...mean);
  return Array.from(mean, (value) => Number((value / norm).toPrecision(SIGNIFICANT_DIGITS)));
}

/** The angle between two vectors of unit length, in radians; exact also where it is small. */
function angle(a, b) {
  return 2 * Math.asin(Math.min(1, Math.hypot(...a.map((value, i) => value - b[i])) / 2));
}

function near(actual, expected) {
  assert.ok(Math.abs(actual - expected) < 1e-4, `${actual} is not ${expected}`);
}

const [modelFile, unroundedFile, tokenizerFile, outFile] = process.argv.slice(2);
if (!outFile) {
  console.error('usage: node minilm-reference.mjs MODEL.onnx UNROUNDED.onnx TOKENIZER.json OUT.json');
  process.exit(2);
}

const definition = JSON.parse(readFileSync(tokenizerFile, 'utf8'));
console.log('ignored settings of the tokenizer file:', JSON.stringify({
  truncation: definition.truncation,
  padding: definition.padding,
}));
const tokenizer = new Tokenizer({ ...definition, truncation: null, padding: null }, {});
const open = (file) => ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const session = await open(modelFile);
const unrounded = await open(unroundedFile);

const hello = encode(tokenizer, 'hello world');
assert.deepEqual(hello, [101, 7592, 2088, 102]);
const helloHidden = await run(session, hello);
near(helloHidden[0], 0.17897277);
near(helloHidden[1], 0.038393356);

const records = [];
for (const text of TEXTS) {
  const ids = encode(tokenizer, text);
  const embedding = pool(await run(session, ids));
  near(Math.hypot(...embedding), 1);
  const rounding = Number(angle(embedding, pool(await run(unrounded, ids))).toPrecision(3));
  records.push(JSON.stringify({ text, ids, embedding, rounding }));
  console.log(`${String(ids.length).padStart(4)} tokens  ${rounding.toFixed(4)} rad  ${JSON.stringify(text.slice(0, 60))}`);
}
writeFileSync(outFile, `[\n${records.join(',\n')}\n]\n`);
