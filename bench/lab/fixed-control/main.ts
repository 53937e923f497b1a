/**
 * The second control's API: the guide's fix 1.2. The bytes come through `/upload-file`, which waits 2 s, looks, and only
 * then writes `uploaded`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createControlApi, listen } from '../control/api.ts';
import { readSettings } from '../control/settings.ts';
import { blobExists, writeBlob } from '../control/storage.ts';

const settings = readSettings();
const api = createControlApi(settings, null);
const { app, pool } = api;

app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post<{ Params: { jobId: string }; Body: Buffer }>(
  '/api/upload-pipeline/upload-file/:jobId',
  async ({ params, body }, reply) => {
    const { rows } = await pool.query<{ raw_path: string }>(
      `select d.raw_path from upload_pipeline.upload_jobs uj
       join upload_pipeline.documents d using (document_id) where uj.job_id = $1`,
      [params.jobId],
    );
    const path = rows[0]?.raw_path ?? '';
    await writeBlob(settings.storage, path, body);
    await sleep(2_000);
    if (!(await blobExists(settings.storage, path))) {
      return reply
        .code(500)
        .send({ detail: 'Upload failed: File upload completed but file is not accessible' });
    }
    await pool.query(
      `update upload_pipeline.upload_jobs set status = 'uploaded', state = 'queued' where job_id = $1`,
      [params.jobId],
    );
    return { message: 'File uploaded successfully', path };
  },
);
await listen(api, settings);
