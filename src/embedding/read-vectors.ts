/** What an embedding endpoint answered is untrusted: a wrong vector would be found for ever after. */
import { IntakeError } from '../domain/errors.ts';

export interface Expected {
  readonly count: number;
  readonly dimensions: number;
}

/** The vectors in the inputs' order, or `EMBEDDINGS_INVALID`; `EMBEDDER_UNAVAILABLE` for what is no answer at all. */
export function readVectors(answer: unknown, expected: Expected): readonly (readonly number[])[] {
  const data = isRecord(answer) ? answer['data'] : undefined;
  // A proxy's error page comes with status 200 too, and the SDK hands it over as a string.
  if (!Array.isArray(data)) {
    throw new IntakeError('EMBEDDER_UNAVAILABLE', {
      detail: 'the answer holds no list of vectors',
    });
  }
  if (data.length !== expected.count) {
    throw invalid(`${data.length} vectors for ${expected.count} inputs`);
  }
  const vectors = new Map<unknown, readonly number[]>();
  for (const entry of data as readonly unknown[]) {
    if (!isRecord(entry)) throw invalid('an entry is no object');
    vectors.set(entry['index'], readVector(entry['embedding'], expected.dimensions));
  }
  return Array.from({ length: expected.count }, (_, index) => {
    const vector = vectors.get(index);
    if (vector === undefined) throw invalid(`no vector with index ${index}`);
    return vector;
  });
}

/** What the endpoint charged, 0 where it does not say. */
export function readTokens(answer: unknown): number {
  const usage = isRecord(answer) ? answer['usage'] : undefined;
  const tokens = isRecord(usage) ? Number(usage['total_tokens']) : 0;
  return Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}

function readVector(embedding: unknown, dimensions: number): readonly number[] {
  if (!Array.isArray(embedding)) throw invalid('an embedding is no list');
  const numbers: readonly unknown[] = embedding;
  if (numbers.length !== dimensions) {
    throw invalid(`${numbers.length} dimensions instead of ${dimensions}`);
  }
  if (!numbers.every((value) => Number.isFinite(value))) throw invalid('a value is not finite');
  if (numbers.every((value) => value === 0)) throw invalid('a vector is zero');
  return embedding;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function invalid(detail: string): IntakeError {
  return new IntakeError('EMBEDDINGS_INVALID', { detail });
}
