/** What the original's worker does with a job, by its status. */
import { setTimeout as sleep } from 'node:timers/promises';
import { chunkMarkdown, chunkTexts, storeChunks, storeVector } from './chunks.ts';
import { embedTexts } from './embedder.ts';
import { notAccessible } from './errors.ts';
import { type Database, type Job, setStatus } from './jobs.ts';
import { submitFile } from './parser.ts';
import type { ControlSettings } from './settings.ts';
import { blobExists, readBlob } from './storage.ts';

export interface Tools {
  readonly settings: ControlSettings;
  readonly database: Database;
  readonly fetchFile: (settings: ControlSettings, job: Job) => Promise<Buffer>;
}

export async function processJob(job: Job, tools: Tools): Promise<void> {
  if (job.status === 'uploaded') await submit(job, tools);
  else await makeSearchable(job, tools);
}

async function submit(job: Job, { settings, database, ...tools }: Tools): Promise<void> {
  const content = await tools.fetchFile(settings, job);
  const webhookUrl = `${settings.apiUrl}/api/upload-pipeline/webhook/llamaparse/${job.job_id}`;
  await submitFile(settings.parser, content, webhookUrl);
  await setStatus(database, job, 'parse_queued');
}

async function makeSearchable(job: Job, { settings, database }: Tools): Promise<void> {
  if (job.status === 'parsed' || job.status === 'parse_validated') {
    const markdown = (await readBlob(settings.storage, job.parsed_path ?? '')).toString('utf8');
    if (markdown.trim() === '') throw new Error('empty parse');
    await setStatus(database, job, 'parse_validated');
    await storeChunks(database, job, chunkMarkdown(markdown));
    await setStatus(database, job, 'chunks_stored');
  }
  const chunks = await chunkTexts(database, job);
  const vectors = await embedTexts(
    settings.embedder,
    chunks.map(({ text }) => text),
  );
  for (const [index, { chunk_id }] of chunks.entries()) {
    await storeVector(database, chunk_id, vectors[index]);
  }
  await setStatus(database, job, 'embeddings_stored');
  await setStatus(database, job, 'complete');
}

/** The guide's fix 1.1: one look, and three more after 1, 2 and 4 s. */
export async function untilAccessible(settings: ControlSettings, job: Job): Promise<void> {
  if (await blobExists(settings.storage, job.storage_path)) return;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await sleep(2 ** attempt * 1_000);
    if (await blobExists(settings.storage, job.storage_path)) return;
  }
  throw notAccessible();
}

/** Every fault on the way is the same one to the person. */
export async function fetchFile(settings: ControlSettings, job: Job): Promise<Buffer> {
  await untilAccessible(settings, job);
  try {
    return await readBlob(settings.storage, job.storage_path);
  } catch {
    throw notAccessible();
  }
}
