/** A word that stands in every document's text and name may stand in no log line and in no history. */
import type { Check } from './scene.ts';

export const privacyChecks: readonly Check[] = [
  {
    invariant: 10,
    name: 'no log line knows a document',
    async find({ logs, canary }) {
      return logs
        .split('\n')
        .filter((line) => line.includes(canary))
        .map((line) => line.slice(0, 80));
    },
  },
  {
    invariant: 10,
    name: 'no history knows a document',
    async find({ database, owners, temporal, canary }) {
      const { rows } = await database.query<{ id: string }>(
        'select id from intake.documents where owner_id = any($1)',
        [owners],
      );
      const known: string[] = [];
      for (const { id } of rows) {
        const history = await temporal.workflow
          .getHandle(`ingest/${id}`)
          .fetchHistory()
          .catch(() => undefined);
        if (holds(history, canary)) known.push(id);
      }
      return known;
    },
  },
];

/** Payloads are bytes, so they are looked into as well. */
function holds(value: unknown, word: string): boolean {
  if (typeof value === 'string') return value.includes(word);
  if (value instanceof Uint8Array) return Buffer.from(value).includes(word);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((part) => holds(part, word));
}
