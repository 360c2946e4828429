// OpenAI's own client against a service of ours: node embeddings.mjs http://localhost:8080
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: 'none', maxRetries: 0 });
const question = { model: 'minilm', input: ['hello world', 'good bye'] };

// the client asks for base64 by default, and decodes it
const answer = await client.embeddings.create(question);
assert.equal(answer.object, 'list');
assert.deepEqual(answer.data.map(each => each.index), [0, 1]);
assert.equal(answer.data[0].embedding.length, 384);
assert.equal(answer.usage.prompt_tokens, 8);

const floats = await client.embeddings.create({ ...question, encoding_format: 'float' });
for (const [i, value] of floats.data[1].embedding.entries()) {
    assert.ok(Math.abs(value - answer.data[1].embedding[i]) < 1e-6);
}

const models = [];
for await (const model of client.models.list()) {
    models.push(model);
}
assert.ok(models.some(model => model.id === 'minilm'), JSON.stringify(models));
assert.ok(models.every(model => model.object === 'model'), JSON.stringify(models));
assert.equal((await client.models.retrieve('minilm')).id, 'minilm');
const absent = await client.models.retrieve('no-such').catch(error => error);
assert.ok(absent instanceof OpenAI.NotFoundError, String(absent));

const unknown = await client.embeddings.create({ ...question, model: 'no-such' }).catch(error => error);
assert.ok(unknown instanceof OpenAI.NotFoundError, String(unknown));
assert.equal(unknown.code, 'model_not_found');
assert.match(unknown.message, /no-such/);

const wrong = await client.embeddings.create({ model: 'minilm', input: 5 }).catch(error => error);
assert.ok(wrong instanceof OpenAI.BadRequestError, String(wrong));
assert.equal(wrong.type, 'invalid_request_error');

const late = await client.embeddings
    .create(question, { headers: { 'Request-Timeout': '0.000001' } })
    .catch(error => error);
assert.ok(late.status === 504 || late.status === 429, String(late));

console.log('right');
