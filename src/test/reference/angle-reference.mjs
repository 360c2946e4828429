// Draws two images of a line of text and writes what another stack says of them. See README.md beside this file.
//
//   node angle-reference.mjs MODEL.onnx IMAGES_FOLDER OUT.json
//
// The images are drawn only where they are not there yet: the reference belongs to the files as they are.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';

const WIDTH = 192;
const HEIGHT = 48;

// five columns and seven rows for each letter, so that no font is needed
const LETTERS = {
  A: '01110 10001 10001 11111 10001 10001 10001',
  E: '11111 10000 10000 11110 10000 10000 11111',
  I: '01110 00100 00100 00100 00100 00100 01110',
  L: '10000 10000 10000 10000 10000 10000 11111',
  R: '11110 10001 10001 11110 10100 10010 10001',
  T: '11111 00100 00100 00100 00100 00100 00100',
};

/** An SVG of a word in dark letters on a light ground. */
function word(text, width, height, scale) {
  const squares = [...text].flatMap((letter, place) =>
    LETTERS[letter].split(' ').flatMap((row, y) =>
      [...row].flatMap((bit, x) =>
        bit === '1'
          ? [`<rect x="${20 + (place * 6 + x) * scale}" y="${12 + y * scale}" width="${scale}" height="${scale}"/>`]
          : [],
      ),
    ),
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      `<rect width="100%" height="100%" fill="#e8e0d0"/><g fill="#203050">${squares.join('')}</g></svg>`,
  );
}

async function draw(folder) {
  const upright = join(folder, 'upright.jpg');
  if (!existsSync(upright)) {
    await sharp(word('ATELIER', 320, 72, 6)).flatten().jpeg({ quality: 90 }).toFile(upright);
  }
  const turned = join(folder, 'turned.png');
  if (!existsSync(turned)) {
    await sharp(await sharp(word('ATELIER', 280, 66, 6)).flatten().png().toBuffer()).rotate(180).png().toFile(turned);
  }
  return [upright, turned];
}

/** Fitted into 192 by 48 from the left, blue first, -1 to 1, the rest 0: row-major [1, 3, 48, 192]. */
async function tensor(file) {
  const { width, height } = await sharp(file).metadata();
  const scale = Math.min(WIDTH / width, HEIGHT / height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  const pixels = await sharp(file).removeAlpha().toColourspace('srgb').resize(w, h, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false }).raw().toBuffer();
  const data = new Float32Array(3 * HEIGHT * WIDTH);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        data[(channel * HEIGHT + y) * WIDTH + x] = (pixels[3 * (y * w + x) + 2 - channel] / 255 - 0.5) / 0.5;
      }
    }
  }
  return new ort.Tensor('float32', data, [1, 3, HEIGHT, WIDTH]);
}

const [model, folder, out] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
const results = [];
for (const file of await draw(folder)) {
  const { [session.outputNames[0]]: output } = await session.run({ x: await tensor(file) });
  assert.deepEqual([...output.dims], [1, 2]);
  results.push({
    file: basename(file),
    sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
    scores: { 0: Number(output.data[0].toPrecision(9)), 180: Number(output.data[1].toPrecision(9)) },
  });
}
writeFileSync(out, JSON.stringify(results, null, 2) + '\n');
console.log(results);
