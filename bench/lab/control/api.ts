/** The original's API, without its sign-in: the person's id comes in a header. */
import { createHash, randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { setFailed } from './jobs.ts';
import { fetchMarkdown } from './parser.ts';
import type { ControlSettings } from './settings.ts';
import { signUpload, writeBlob } from './storage.ts';

interface UploadBody {
  readonly filename: string;
  readonly bytes_len: number;
  readonly sha256: string;
}

export interface ControlApi {
  readonly app: FastifyInstance;
  readonly pool: pg.Pool;
}

/** `bornAs`: the status of a job whose bytes nobody has seen. */
export function createControlApi(settings: ControlSettings, bornAs: 'uploaded' | null): ControlApi {
  const app = Fastify({ forceCloseConnections: true });
  const pool = new pg.Pool({ connectionString: settings.databaseUrl });
  app.register(
    async (routes) => {
      routes.get('/health', async () => ({ status: 'healthy' }));
      routes.post<{ Body: UploadBody }>('/upload', async ({ body, headers }) => {
        const jobId = randomUUID();
        const documentId = randomUUID();
        const userId = headers['x-user-id'];
        const path = `files/user/${String(userId)}/raw/${shortHash(documentId)}.md`;
        await pool.query(
          `insert into upload_pipeline.documents
             (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
           values ($1, $2, $3, 'text/markdown', $4, $5, $6)`,
          [documentId, userId, body.filename, body.bytes_len, body.sha256, path],
        );
        await pool.query(
          `insert into upload_pipeline.upload_jobs (job_id, document_id, state, status)
           values ($1, $2, 'queued', $3)`,
          [jobId, documentId, bornAs],
        );
        const signedUrl = await signUpload(settings.storage, path);
        return { job_id: jobId, document_id: documentId, signed_url: signedUrl };
      });
      webhookRoute(routes, pool, settings);
    },
    { prefix: '/api/upload-pipeline' },
  );
  return { app, pool };
}

interface WebhookRoute {
  readonly Params: { readonly jobId: string };
  readonly Body: { readonly event_type: string; readonly data: { readonly job_id: string } };
}

/** Whoever calls is believed, and whatever the job's status is, it becomes `parsed` (again). */
function webhookRoute(routes: FastifyInstance, pool: pg.Pool, settings: ControlSettings): void {
  routes.post<WebhookRoute>('/webhook/llamaparse/:jobId', async ({ params, body }, reply) => {
    const { rows } = await pool.query<{ document_id: string; user_id: string }>(
      `select d.document_id, d.user_id from upload_pipeline.upload_jobs uj
       join upload_pipeline.documents d using (document_id) where uj.job_id = $1`,
      [params.jobId],
    );
    const [document] = rows;
    if (document === undefined) return reply.code(404).send({ detail: 'Job not found' });
    if (body.event_type === 'parse.error') {
      await setFailed(pool, { job_id: params.jobId }, new Error('parse failed'));
      return reply.code(500).send({ detail: 'parse failed' });
    }
    const markdown = await fetchMarkdown(settings.parser, `pjb-${body.data.job_id}`);
    const path = `files/user/${document.user_id}/parsed/${shortHash(document.document_id)}.md`;
    await writeBlob(settings.storage, path, markdown);
    await pool.query(
      `update upload_pipeline.documents set parsed_path = $2, processing_status = 'parsed'
       where document_id = $1`,
      [document.document_id, path],
    );
    await pool.query(
      `update upload_pipeline.upload_jobs set status = 'parsed', updated_at = now() where job_id = $1`,
      [params.jobId],
    );
    return { status: 'success', message: 'Webhook processed' };
  });
}

function shortHash(documentId: string): string {
  return createHash('md5').update(documentId).digest('hex').slice(0, 8);
}

export async function listen({ app }: ControlApi, { apiUrl }: ControlSettings): Promise<void> {
  await app.listen({ host: '127.0.0.1', port: Number(new URL(apiUrl).port) });
  console.log('api ready');
}
