/** Files, jobs and results on disk, so that a restart forgets nothing. A record is replaced as a whole or not at all. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Conversion, conversion } from './conversion.ts';
import { type FileRecord, fileRecord, type JobRecord, jobRecord } from './records.ts';

export interface RecordStore {
  readonly files: ReadonlyMap<string, FileRecord>;
  readonly jobs: ReadonlyMap<string, JobRecord>;
  contentPath(fileId: string): string;
  addFile(file: FileRecord, content: Uint8Array): Promise<void>;
  removeFile(fileId: string): Promise<void>;
  saveJob(job: JobRecord): Promise<void>;
  /** The job and its result. */
  removeJob(jobId: string): Promise<void>;
  saveResult(jobId: string, result: Conversion): Promise<void>;
  copyResult(fromJobId: string, toJobId: string): Promise<void>;
  readResult(jobId: string): Promise<Conversion>;
}

export function openRecordStore(folder: string): RecordStore {
  const place = (kind: string) => {
    const path = join(folder, kind);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const folders = {
    files: place('files'),
    content: place('content'),
    jobs: place('jobs'),
    results: place('results'),
  };
  const files = readRecords(folders.files, fileRecord);
  const jobs = readRecords(folders.jobs, jobRecord);
  const recordPath = (kind: keyof typeof folders, id: string) => join(folders[kind], `${id}.json`);
  const contentPath = (fileId: string) => join(folders.content, fileId);

  return {
    files,
    jobs,
    contentPath,
    async addFile(file, content) {
      await replace(contentPath(file.id), content);
      await replace(recordPath('files', file.id), JSON.stringify(file));
      files.set(file.id, file);
    },
    async removeFile(fileId) {
      files.delete(fileId);
      await remove(recordPath('files', fileId), contentPath(fileId));
    },
    async saveJob(job) {
      jobs.set(job.id, job);
      await replace(recordPath('jobs', job.id), JSON.stringify(job));
    },
    async removeJob(jobId) {
      jobs.delete(jobId);
      await remove(recordPath('jobs', jobId), recordPath('results', jobId));
    },
    saveResult: (jobId, result) => replace(recordPath('results', jobId), JSON.stringify(result)),
    copyResult: (from, to) => copyFile(recordPath('results', from), recordPath('results', to)),
    async readResult(jobId) {
      return conversion.parse(JSON.parse(await readFile(recordPath('results', jobId), 'utf8')));
    },
  };
}

function readRecords<Schema extends z.ZodType<{ id: string }>>(folder: string, schema: Schema) {
  const records = new Map<string, z.output<Schema>>();
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.json'))) {
    const record = schema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    records.set(record.id, record);
  }
  return records;
}

let drafts = 0;

async function replace(path: string, content: string | Uint8Array): Promise<void> {
  drafts += 1;
  const draft = `${path}.${drafts}.tmp`;
  await writeFile(draft, content);
  await rename(draft, path);
}

async function remove(...paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}
