/**
 * A deterministic embedder without a model: hashed words and word pairs. It finds shared words and not meaning, but
 * it is the same everywhere and takes no time, which is what tests and benchmarks of the pipeline need.
 */
import type { EmbeddedText, EmbeddingModel } from './embedding-model.ts';

/** Makes texts of the same words differ, so that every text is nearest to itself. */
const WHOLE_TEXT_WEIGHT = 0.05;

export function createLexicalModel(id: string, dimensions: number): EmbeddingModel {
  return {
    id,
    dimensions,
    embed: async (texts) => texts.map((text) => embedWords(text, dimensions)),
    close: async () => {},
  };
}

function embedWords(text: string, dimensions: number): EmbeddedText {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const counts = new Map<string, number>();
  for (const [index, word] of words.entries()) {
    const pair = `${words[index - 1] ?? ''} ${word}`;
    for (const feature of [word, pair]) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  }
  const vector = new Float32Array(dimensions);
  for (const [feature, count] of counts) add(vector, feature, Math.sqrt(count));
  add(vector, `\0${text}`, counts.size === 0 ? 1 : WHOLE_TEXT_WEIGHT);
  const norm = Math.hypot(...vector);
  return { vector: vector.map((value) => value / norm), tokens: words.length + 2 };
}

function add(vector: Float32Array, feature: string, weight: number): void {
  const hash = fnv1a(feature);
  const place = (hash >>> 1) % vector.length;
  vector[place] = (vector[place] ?? 0) + ((hash & 1) === 0 ? weight : -weight);
}

/** FNV-1a over UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
