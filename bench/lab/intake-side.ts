/** Intake by its own API; the oracle reads its rows. */
import { createApiClient } from '../../src/cli/api-client.ts';
import type { Pool } from '../../src/db/pool.ts';
import { mintUserToken } from '../../src/dev/dev-identity.ts';
import type { Plan } from '../../src/dev/prepare-stack.ts';
import { putBytes } from './person.ts';
import type { Programs } from './programs.ts';
import type { Seen, Side } from './side.ts';

interface Row {
  readonly id: string;
  readonly status: string;
  readonly deleted: boolean;
  readonly error_code: string | null;
  readonly ended_at_ms: number | null;
  readonly texts: readonly string[] | null;
}

export function createIntakeSide(plan: Plan, pool: Pool, programs: Programs): Side {
  const workers = ['worker', 'worker-2'];
  return {
    name: 'intake',
    async announce({ ownerId, content, declaredSha256 }) {
      const { SUPABASE_URL: supabaseUrl } = plan.config;
      const token = await mintUserToken(plan.secrets.jwtSecret, { id: ownerId, supabaseUrl });
      const owner = createApiClient({ url: plan.apiUrl, token });
      const { documentId, uploadUrl } = await owner.declareUpload({
        name: 'policy.md',
        type: 'text/markdown',
        sizeBytes: Buffer.byteLength(content),
        sha256: declaredSha256,
      });
      return {
        documentId,
        upload: () => putBytes(uploadUrl ?? '', content),
        confirm: async () => {
          await owner.confirmUpload(documentId);
        },
        remove: async () => {
          await owner.delete(documentId);
        },
      };
    },
    async open() {
      const { rows } = await pool.query<{ count: string }>(
        'select count(*) from intake.attempts where ended_at is null',
      );
      return Number(rows[0]?.count);
    },
    async look() {
      const { rows } = await pool.query<Row>(everything);
      return new Map(rows.map((row) => [row.id, seen(row)]));
    },
    killWorker() {
      const name = workers.shift() ?? '';
      workers.push(name);
      programs.kill(name);
    },
  };
}

/** Vectors are joined in: a chunk without one is found by no search. */
const everything = `
  select d.id, a.status, d.deleted_at is not null as deleted, a.error_code,
         extract(epoch from a.ended_at)::float8 * 1000 as ended_at_ms,
         (select array_agg(c.text) from intake.chunks c join intake.vectors_384 v on v.chunk_id = c.id
          where c.generation_id = d.live_generation_id) as texts
  from intake.documents d left join intake.attempts a on a.id = d.current_attempt_id`;

function seen({ status, deleted, error_code, ended_at_ms, texts }: Row): Seen {
  const failed = ended_at_ms === null ? 'open' : 'failed';
  return {
    status,
    end: deleted ? 'gone' : status === 'complete' ? 'searchable' : failed,
    code: error_code ?? undefined,
    endedAtMs: ended_at_ms ?? undefined,
    texts: texts ?? [],
  };
}
