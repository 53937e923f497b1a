/** A control by its API, its processes, and its rows. */
import { join } from 'node:path';
import getPort from 'get-port';
import type { Pool } from '../../src/db/pool.ts';
import { startChild, untilReady } from '../../src/dev/child-process.ts';
import type { Plan } from '../../src/dev/prepare-stack.ts';
import { createControlDatabase } from './control/schema.ts';
import type { ControlSettings } from './control/settings.ts';
import { putBytes } from './person.ts';
import type { Programs } from './programs.ts';
import type { Announced, Seen, Side } from './side.ts';

export const controlNames = ['control', 'fixed-control'] as const;
export type ControlName = (typeof controlNames)[number];

/** API first. */
export function processesOf(name: ControlName): readonly string[] {
  return [`${name} api`, `${name} worker`, `${name} worker-2`];
}

export interface ControlOptions {
  readonly programs: Programs;
  readonly plan: Plan;
  readonly serverUrl: string;
  readonly pollMs: number;
  readonly breakerMs: number;
  poolOf(url: string): Pool;
}

export async function startControlSide(name: ControlName, options: ControlOptions): Promise<Side> {
  const { programs, serverUrl } = options;
  const databaseUrl = await createControlDatabase(serverUrl, name.replace('-', '_'));
  const apiUrl = `http://127.0.0.1:${await getPort({ host: '127.0.0.1' })}`;
  const settings = settingsOf(options, { databaseUrl, apiUrl });
  const [api = '', ...workers] = processesOf(name);
  await startProgram(programs, api, { program: `${name}/main.ts`, settings });
  for (const worker of workers) {
    await startProgram(programs, worker, { program: `${name}/worker.ts`, settings });
  }
  const pool = options.poolOf(databaseUrl);
  return {
    name,
    announce: async ({ ownerId, content, declaredSha256 }) => {
      const answer = await post(`${apiUrl}/api/upload-pipeline/upload`, {
        headers: { 'content-type': 'application/json', 'x-user-id': ownerId },
        body: JSON.stringify({
          ...{ filename: 'policy.md', mime: 'text/markdown', sha256: declaredSha256 },
          bytes_len: Buffer.byteLength(content),
        }),
      });
      const accepted = (await answer.json()) as Accepted;
      return announced(accepted, { name, apiUrl, content, pool });
    },
    async open() {
      const { rows } = await pool.query<{ count: string }>(
        `select count(*) from upload_pipeline.upload_jobs
         where status is null or status not in ('complete', 'failed_parse')`,
      );
      return Number(rows[0]?.count);
    },
    async look() {
      const { rows } = await pool.query<Row>(everything);
      return new Map(rows.map((row) => [row.document_id, seen(row)]));
    },
    killWorker() {
      const worker = workers.shift() ?? '';
      workers.push(worker);
      programs.kill(worker);
    },
  };
}

function settingsOf(
  { plan, pollMs, breakerMs }: ControlOptions,
  own: Pick<ControlSettings, 'databaseUrl' | 'apiUrl'>,
): ControlSettings {
  const { config } = plan;
  return {
    ...own,
    storage: { url: config.SUPABASE_URL, key: config.SUPABASE_SERVICE_ROLE_KEY },
    parser: { url: config.LLAMA_CLOUD_BASE_URL, key: config.LLAMA_CLOUD_API_KEY },
    embedder: { url: config.EMBEDDINGS_URL, key: config.EMBEDDINGS_API_KEY },
    pollMs,
    breakerMs,
  };
}

async function startProgram(
  { supervisor, folder }: Programs,
  name: string,
  { program, settings }: { readonly program: string; readonly settings: ControlSettings },
): Promise<void> {
  const { PATH, HOME, TMPDIR } = process.env;
  await supervisor.start({
    name,
    async start(onSpawn) {
      const child = await startChild({
        name,
        command: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, program)],
        logFile: folder.logFile(name.replace(' ', '-')),
        env: { PATH, HOME, TMPDIR, CONTROL_SETTINGS: JSON.stringify(settings) },
        onSpawn,
      });
      await untilReady(child, async () =>
        child.lastLines().some((line) => line.endsWith(' ready')),
      );
      return child;
    },
  });
}

interface Accepted {
  readonly job_id: string;
  readonly document_id: string;
  readonly signed_url: string;
}

interface Road {
  readonly name: ControlName;
  readonly apiUrl: string;
  readonly content: string;
  readonly pool: Pool;
}

/** The first control's browser PUTs to the signed URL and tells nobody; the second's hands the bytes to the API. */
function announced(
  { job_id, document_id, signed_url }: Accepted,
  { name, apiUrl, content, pool }: Road,
): Announced {
  return {
    documentId: document_id,
    async upload() {
      if (name === 'control') return putBytes(signed_url, content);
      await post(`${apiUrl}/api/upload-pipeline/upload-file/${job_id}`, {
        headers: { 'content-type': 'text/markdown' },
        body: content,
      });
    },
    confirm: async () => undefined,
    async remove() {
      for (const table of ['upload_jobs', 'document_chunks', 'documents']) {
        await pool.query(`delete from upload_pipeline.${table} where document_id = $1`, [
          document_id,
        ]);
      }
    },
  };
}

async function post(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, method: 'POST' });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

interface Row {
  readonly document_id: string;
  readonly status: string | null;
  readonly code: string | null;
  readonly ended_at_ms: number;
  readonly texts: readonly string[] | null;
}

/** Zero vectors are found by nobody who asks for something. */
const everything = `
  select d.document_id, uj.status, uj.last_error->>'code' as code,
         extract(epoch from uj.updated_at)::float8 * 1000 as ended_at_ms,
         (select array_agg(c.text) from upload_pipeline.document_chunks c
          where c.document_id = d.document_id and vector_norm(c.embedding) > 0) as texts
  from upload_pipeline.documents d join upload_pipeline.upload_jobs uj using (document_id)`;

function seen({ status, code, ended_at_ms, texts }: Row): Seen {
  const end = status === 'complete' ? 'searchable' : status === 'failed_parse' ? 'failed' : 'open';
  return {
    status: status ?? 'waiting for the bytes',
    end,
    code: end === 'failed' ? (code ?? undefined) : undefined,
    endedAtMs: end === 'open' ? undefined : ended_at_ms,
    texts: texts ?? [],
  };
}
