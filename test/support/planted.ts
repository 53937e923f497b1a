/** Where planted words turn up: in whatever structure, whatever encoding of payloads, whatever depth. */

/** Every text in a value: strings, keys, and bytes read as UTF-8. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [key, ...textsIn(child)]);
}

/** Sizes of the payloads in a message of Temporal's: whatever carries metadata and data. */
export function payloadSizesIn(value: unknown): readonly number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { metadata, data } = value as { metadata?: unknown; data?: unknown };
  if (metadata && data instanceof Uint8Array) return [data.length];
  return Object.values(value).flatMap(payloadSizesIn);
}

/** The planted words that are found, by name: empty is what a test wants. */
export function foundIn(value: unknown, planted: Readonly<Record<string, string>>): string[] {
  const text = textsIn(value).join('\n').toLowerCase();
  return Object.entries(planted)
    .filter(([, word]) => text.includes(word.toLowerCase()))
    .map(([name]) => name);
}
