/** Entry of a model thread: texts to unit vectors by an ONNX sentence transformer (mean over the mask, then L2). */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EmbeddingModelFiles } from '../tools.ts';
import type { EmbeddedText } from './embedding-model.ts';

/** What the model was trained on; the rest of a longer text is not seen. */
const MAX_TOKENS = 256;
/** No text of so few tokens is longer, but for unbroken runs that the model cannot read anyway. */
const MAX_CHARACTERS = MAX_TOKENS * 32;

const files: EmbeddingModelFiles = workerData;
const tokenizer = new Tokenizer(JSON.parse(readFileSync(files.tokenizer, 'utf8')), {});
const session = await InferenceSession.create(files.model, {
  // The arena keeps the memory of the largest batch for ever.
  enableCpuMemArena: false,
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

parentPort?.on('message', (texts: readonly string[]) => {
  void embed(texts).then((answer) => parentPort?.postMessage(answer));
});

async function embed(texts: readonly string[]): Promise<readonly EmbeddedText[]> {
  const rows = texts.map(encode);
  const length = Math.max(...rows.map((ids) => ids.length));
  const shape = [rows.length, length];
  const ids = new BigInt64Array(rows.length * length);
  const mask = new BigInt64Array(rows.length * length);
  for (const [row, tokens] of rows.entries()) {
    ids.set(tokens.map(BigInt), row * length);
    mask.fill(1n, row * length, row * length + tokens.length);
  }
  const { last_hidden_state: hidden } = await session.run({
    input_ids: new Tensor('int64', ids, shape),
    attention_mask: new Tensor('int64', mask, shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), shape),
  });
  const states = hidden?.data;
  if (!(states instanceof Float32Array)) throw new TypeError('the model answers no float tensor');
  const width = states.length / ids.length;
  return rows.map((tokens, row) => {
    const from = row * length * width;
    const vector = meanPool(states.subarray(from, from + tokens.length * width), width);
    return { vector, tokens: tokens.length };
  });
}

function encode(text: string): readonly number[] {
  const { ids } = tokenizer.encode(text.slice(0, MAX_CHARACTERS));
  return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), ...ids.slice(-1)];
}

function meanPool(states: Float32Array, width: number): Float32Array {
  const sum = new Float32Array(width);
  for (const [index, value] of states.entries())
    sum[index % width] = (sum[index % width] ?? 0) + value;
  const norm = Math.hypot(...sum);
  return sum.map((value) => value / norm);
}
