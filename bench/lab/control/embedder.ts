/** The original's embedder: one call, no retry; of its checks only the one for all zeros failed a job. */
import type { Endpoint } from './settings.ts';

const TIMEOUT_MS = 30_000;

export async function embedTexts(
  embedder: Endpoint,
  texts: readonly string[],
): Promise<readonly (readonly number[])[]> {
  const response = await fetch(`${embedder.url}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${embedder.key}` },
    body: JSON.stringify({ model: 'deterministic-384', input: texts }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`embedder answered ${response.status}`);
  const { data } = (await response.json()) as { data: readonly { embedding: number[] }[] };
  const vectors = data.map(({ embedding }) => embedding);
  if (vectors.some((vector) => vector.every((value) => value === 0))) {
    throw new Error('zero vector');
  }
  return vectors;
}
