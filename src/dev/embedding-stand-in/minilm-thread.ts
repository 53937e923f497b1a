/** Entry of a model thread: a text to its unit vector by an ONNX sentence transformer (mean over the tokens, then L2). */
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
  // The arena keeps the memory of the longest text for ever.
  enableCpuMemArena: false,
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

parentPort?.on('message', (text: string) => {
  void embed(text).then((answer) => parentPort?.postMessage(answer));
});

async function embed(text: string): Promise<EmbeddedText> {
  const ids = encode(text);
  const row = (values: BigInt64Array) => new Tensor('int64', values, [1, ids.length]);
  const { last_hidden_state: hidden } = await session.run({
    input_ids: row(BigInt64Array.from(ids, BigInt)),
    attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
    token_type_ids: row(new BigInt64Array(ids.length)),
  });
  const states = hidden?.data;
  if (!(states instanceof Float32Array)) throw new TypeError('the model answers no float tensor');
  return { vector: meanPool(states, states.length / ids.length), tokens: ids.length };
}

function encode(text: string): readonly number[] {
  const { ids } = tokenizer.encode(text.slice(0, MAX_CHARACTERS));
  return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), ...ids.slice(-1)];
}

function meanPool(states: Float32Array, width: number): Float32Array {
  const sum = new Float32Array(width);
  for (const [index, value] of states.entries()) {
    const place = index % width;
    sum[place] = (sum[place] ?? 0) + value;
  }
  const norm = Math.hypot(...sum);
  return sum.map((value) => value / norm);
}
