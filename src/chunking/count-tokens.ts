/** Token counters: `cl100k_base` for OpenAI's models, or the tokenizer.json of any other model. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { IntakeError } from '../domain/errors.ts';
import type { TokenCounter } from '../embedding/embedder.ts';

const CL100K = 'cl100k_base';

/** Byte pair encoding takes time in the square of an unbroken run, and cutting it costs next to no accuracy. */
const LONGEST_RUN = 250;
const longRuns = new RegExp(
  `(?<!\\S)\\S{${LONGEST_RUN + 1},}|(?<!\\s)\\s{${LONGEST_RUN + 1},}`,
  'g',
);

/** Loads the tokenizer: about 100 ms and 30 MB. Who needs only its name calls `tokenizerName`. */
export async function createTokenCounter(nameOrPath: string): Promise<TokenCounter> {
  if (nameOrPath === CL100K) {
    const { countTokens } = await import('gpt-tokenizer/encoding/cl100k_base');
    // `<|endoftext|>` in a document is text like any other; by default it throws.
    const options = { disallowedSpecial: new Set<string>() };
    return { name: CL100K, count: cappingRuns((text) => countTokens(text, options)) };
  }
  const file = readTokenizerFile(nameOrPath);
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const tokenizer = new Tokenizer(parseTokenizer(file), {});
  const encode = (text: string, add_special_tokens: boolean) =>
    tokenizer.encode(text, { add_special_tokens }).ids.length;
  const specials = encode('', true);
  const count = cappingRuns((text) => encode(text, false));
  return { name: nameOf(file), count: (text) => specials + count(text) };
}

/** Independent of where the file lies, since it enters the generation's hash. */
export function tokenizerName(nameOrPath: string): string {
  return nameOrPath === CL100K ? CL100K : nameOf(readTokenizerFile(nameOrPath));
}

function nameOf(file: Buffer): string {
  return `tokenizer.json:${createHash('sha256').update(file).digest('hex').slice(0, 12)}`;
}

function readTokenizerFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const detail = 'EMBEDDINGS_TOKENIZER: cannot be read';
    throw new IntakeError('CONFIGURATION_INVALID', { detail, cause });
  }
}

function parseTokenizer(file: Buffer): object {
  try {
    const parsed: unknown = JSON.parse(file.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null && 'model' in parsed) return parsed;
  } catch {
    // Falls through to the same answer as JSON of another kind.
  }
  const detail = 'EMBEDDINGS_TOKENIZER: not a tokenizer.json';
  throw new IntakeError('CONFIGURATION_INVALID', { detail });
}

function cappingRuns(count: (text: string) => number): (text: string) => number {
  return (text) => {
    let total = 0;
    let from = 0;
    for (const run of text.matchAll(longRuns)) {
      const end = run.index + run[0].length;
      for (let cut = run.index + LONGEST_RUN; cut < end; cut += LONGEST_RUN) {
        total += count(text.slice(from, cut));
        from = cut;
      }
    }
    return total + count(text.slice(from));
  };
}
