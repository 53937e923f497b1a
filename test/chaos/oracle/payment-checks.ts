/** What the vendors were paid for, against what was written down before. */
import type { Check, Scene } from './scene.ts';

interface Paid {
  readonly parseJobId: string;
  readonly at: Date;
}

/** A job that the vendor's cache answered was asked for all the same. */
function parses({ ledgers }: Scene): readonly Paid[] {
  return ledgers.parser
    .filter(({ operation }) => operation === 'parse.paid' || operation === 'parse.cached')
    .map(({ subject, at }) => ({
      parseJobId: subject?.split(' ')[1] ?? 'unnamed',
      at: new Date(at),
    }));
}

export const paymentChecks: readonly Check[] = [
  {
    invariant: 5,
    name: 'a parse job is written down before it is paid for',
    async find(scene) {
      const { rows } = await scene.database.query<{ id: string; created_at: Date }>(
        'select id, created_at from intake.parse_jobs',
      );
      const written = new Map(rows.map(({ id, created_at }) => [id, created_at]));
      return parses(scene)
        .filter(({ parseJobId, at }) => !((written.get(parseJobId) ?? new Date()) <= at))
        .map(({ parseJobId }) => parseJobId);
    },
  },
  {
    invariant: 5,
    name: 'no parse job is paid for twice',
    async find(scene) {
      const paid = parses(scene).map(({ parseJobId }) => parseJobId);
      return [...new Set(paid.filter((id, at) => paid.indexOf(id) !== at))];
    },
  },
  {
    invariant: 5,
    name: 'no version is parsed twice',
    async find({ database, owners }) {
      const { rows } = await database.query<{ what: string }>(
        `select version_id as what from intake.parse_jobs
         where owner_id = any($1) and state in ('submitting', 'submitted', 'completed')
         group by version_id having count(*) > 1`,
        [owners],
      );
      return rows.map(({ what }) => what);
    },
  },
  {
    invariant: 5,
    name: 'no finished sub-batch is embedded again',
    async find({ database, owners, ledgers, mayRepeat }) {
      const { rows } = await database.query<{ document_id: string; hash: string }>(
        `select document_id, left(encode(sha256(convert_to(prefix || text, 'UTF8')), 'hex'), 16) as hash
         from intake.chunks where owner_id = any($1)`,
        [owners],
      );
      const documentOf = new Map(rows.map(({ document_id, hash }) => [hash, document_id]));
      const seen = new Set<string>();
      const repeats = new Map<string, number>();
      for (const { operation, subject, status } of ledgers.embedder) {
        if (operation !== 'embeddings.create' || status !== 200) continue;
        for (const hash of subject?.split(',') ?? []) {
          const documentId = documentOf.get(hash);
          if (documentId === undefined) continue;
          if (seen.has(hash)) repeats.set(documentId, (repeats.get(documentId) ?? 0) + 1);
          seen.add(hash);
        }
      }
      return [...repeats]
        .filter(([documentId, inputs]) => inputs > mayRepeat(documentId))
        .map(([documentId, inputs]) => `${documentId}: ${inputs} inputs`);
    },
  },
];
