/** Files on their road and documents that are followed, against a document service that moves on at every look. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DocumentDetail, DocumentService } from '../../../src/api/dependencies.ts';
import { ingestCommand } from '../../../src/cli/commands/ingest.ts';
import { watchCommand } from '../../../src/cli/commands/watch.ts';
import type { Declaration } from '../../../src/db/documents.ts';
import { IntakeError } from '../../../src/domain/errors.ts';
import type { DocumentId } from '../../../src/domain/ids.ts';
import { isTerminal } from '../../../src/domain/ingestion.ts';
import {
  documentOf,
  explanationOf,
  newDocumentId,
  newOwner,
} from '../../support/api-under-test.ts';
import { listen, run, serveApi } from '../../support/cli.ts';

let folder: string;
let storage: Server;
let storageUrl: string;
let stored: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'intake-ingest-'));
  stored = [];
  storage = createServer(async (request, response) => {
    stored.push(await text(request));
    response.end();
  });
  storageUrl = await listen(storage);
});
afterEach(async () => {
  storage.closeAllConnections();
  await new Promise((closed) => storage.close(closed));
  rmSync(folder, { recursive: true });
});

function file(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, `bytes of ${name}`);
  return path;
}

const complete: Partial<DocumentDetail> = { status: 'complete', pages: 2, chunks: 7 };
const broken: Partial<DocumentDetail> = { status: 'failed_parse', errorCode: 'PDF_IS_BROKEN' };
const late: Partial<DocumentDetail> = { status: 'failed_parse', errorCode: 'PARSE_TIMEOUT' };

/** Takes every file; a name decides how its document ends. */
class DocumentsOnTheirRoad {
  readonly declared: Declaration[] = [];
  readonly documents = new Map<DocumentId, DocumentDetail[]>();
  room = Number.POSITIVE_INFINITY;
  lists = 0;

  add(...road: readonly Partial<DocumentDetail>[]): DocumentId {
    const id = newDocumentId();
    this.documents.set(
      id,
      road.map((facts) => documentOf(id, facts)),
    );
    return id;
  }

  look(id: DocumentId): DocumentDetail {
    const road = this.documents.get(id);
    const seen = road && road.length > 1 ? road.shift() : road?.[0];
    if (seen === undefined) throw new IntakeError('NOT_FOUND');
    if (seen.status === 'awaiting_upload') this.room += 1;
    return seen;
  }

  readonly service: Partial<DocumentService> = {
    acceptUpload: async (_caller, declaration) => {
      if (this.room <= 0) throw new IntakeError('UPLOAD_QUOTA_EXCEEDED', { retryAfterMs: 0 });
      this.room -= 1;
      this.declared.push(declaration);
      const { name } = declaration;
      const end = name.startsWith('broken') ? broken : name.startsWith('late') ? late : complete;
      const documentId = this.add({ name, status: 'awaiting_upload' }, { name }, { name, ...end });
      const at = new Date(Date.now() + 60_000);
      const upload = { url: `${storageUrl}/${documentId}`, urlExpiresAt: at, expiresAt: at };
      return { documentId, status: 'awaiting_upload', created: true, upload };
    },
    confirmUpload: async (_caller, documentId) => ({ documentId, status: 'awaiting_upload' }),
    documentDetail: async (_caller, documentId) => this.look(documentId),
    listDocuments: async () => {
      this.lists += 1;
      const seen = [...this.documents.keys()].map((id) => this.look(id));
      return { documents: seen.filter(({ status }) => !isTerminal(status)), next: undefined };
    },
  };
}

async function serveRoad(): Promise<DocumentsOnTheirRoad> {
  const road = new DocumentsOnTheirRoad();
  await serveApi({ documents: road.service, settings: { maxRequestsPerMinute: 10_000 } });
  return road;
}

test('a file is sent, and its document named with how to follow it', async () => {
  const road = await serveRoad();
  const { stdout, exitCode } = await run(ingestCommand, file('plan.pdf'));
  const [id] = road.documents.keys();
  expect(stdout).toContain(`${id}  ${join(folder, 'plan.pdf')}  awaiting_upload, 0 %`);
  expect(stdout).toContain(`intake watch ${id}`);
  expect(stored).toEqual(['bytes of plan.pdf']);
  expect(exitCode).toBe(0);
});

test('--wait follows to the end: its stages on stderr, its outcome on stdout', async () => {
  await serveRoad();
  const { stdout, stderr, exitCode } = await run(ingestCommand, file('plan.pdf'), '--wait');
  expect(stderr).toMatch(/plan\.pdf +waiting for the bytes\n.*plan\.pdf +parsing\n/);
  expect(stdout).toContain('complete: 2 pages, 7 chunks');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(exitCode).toBe(0);
});

test('one that fails stops no other, the highest code counts, and JSON is one array', async () => {
  await serveRoad();
  const names = ['1.pdf', 'broken.pdf', 'tool.exe', '4.md', 'late.pdf', '6.txt'];
  const paths = names.map(file);
  const { stdout, exitCode } = await run(ingestCommand, ...paths, '--wait', '--json');
  const outcomes: { file: string; status: string | null; errorCode: string | null }[] =
    JSON.parse(stdout);
  expect(outcomes.map((outcome) => outcome.file)).toEqual(paths);
  expect(outcomes.map(({ status, errorCode }) => errorCode ?? status)).toEqual([
    ...['complete', 'PDF_IS_BROKEN', 'UNSUPPORTED_FILE_TYPE'],
    ...['complete', 'PARSE_TIMEOUT', 'complete'],
  ]);
  expect(outcomes[0]).toMatchObject({ pages: 2, chunks: 7, id: expect.any(String) });
  expect(outcomes[2]).toMatchObject({ id: null, pages: null });
  expect(exitCode).toBe(4);
});

test('a failure is told with whose turn it is', async () => {
  await serveRoad();
  const { stdout, exitCode } = await run(ingestCommand, file('broken.pdf'), '--wait');
  expect(stdout).toContain('failed_parse: The PDF is damaged');
  expect(stdout).toContain('Your turn: intake ingest FILE');
  expect(exitCode).toBe(3);
});

test('more files than there is room for are sent as room comes', async () => {
  const road = await serveRoad();
  road.room = 2;
  const paths = Array.from({ length: 7 }, (_, index) => file(`${index}.pdf`));
  const { stdout, stderr, exitCode } = await run(ingestCommand, ...paths, '--wait', '--json');
  expect(JSON.parse(stdout)).toHaveLength(7);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('too many unfinished uploads');
});

test('a name may be given to one file, and its type is that of either name', async () => {
  const road = await serveRoad();
  await run(ingestCommand, file('a.pdf'), '--name', 'Plan 2026');
  await run(ingestCommand, file('scan'), '--name', 'Plan.docx');
  expect(road.declared.map(({ name, mediaType }) => [name, mediaType.slice(0, 15)])).toEqual([
    ['Plan 2026', 'application/pdf'],
    ['Plan.docx', 'application/vnd'],
  ]);
  const two = await run(ingestCommand, file('a.pdf'), file('b.pdf'), '--name', 'Plan');
  expect(two).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('one file') });
  expect(road.declared).toHaveLength(2);
});

test('files that cannot be read are all named before anything is sent', async () => {
  const road = await serveRoad();
  const { stderr, exitCode } = await run(
    ...([ingestCommand, file('a.pdf'), join(folder, 'absent.pdf'), folder] as const),
  );
  expect(exitCode).toBe(2);
  expect(stderr).toContain('absent.pdf: there is no such file');
  expect(stderr).toContain(`${folder}: there is no such file`);
  expect(road.declared).toEqual([]);
});

test('watch follows what runs now, wherever it stands, and nothing else', async () => {
  const road = await serveRoad();
  const waiting = road.add({ status: 'awaiting_upload' }, complete);
  const embedding = road.add({ status: 'embedding_in_progress' }, late);
  road.add(complete);
  road.add(broken);
  const { stdout, exitCode } = await run(watchCommand, '--json');
  const watched: { documentId: string; status: string }[] = JSON.parse(stdout);
  expect(new Map(watched.map(({ documentId, status }) => [documentId, status]))).toEqual(
    new Map([
      [waiting, 'complete'],
      [embedding, 'failed_parse'],
    ]),
  );
  expect(exitCode).toBe(4);
  expect([...road.documents.values()].every(([last]) => last && isTerminal(last.status))).toBe(
    true,
  );
});

test('watch takes along what sets out meanwhile', async () => {
  const road = await serveRoad();
  const first = road.add({}, {}, complete);
  const look = road.look.bind(road);
  let newcomer: DocumentId | undefined;
  road.look = (id) => {
    if (road.lists === 2) newcomer ??= road.add({}, complete);
    return look(id);
  };
  const { stdout, exitCode } = await run(watchCommand);
  expect(stdout).toContain(`${first}  plan.pdf (${first.slice(0, 8)})  complete`);
  expect(stdout).toContain(`${newcomer}  plan.pdf`);
  expect(exitCode).toBe(0);
});

test('watch --everyone shows an operator how strangers’ documents stand, and no name', async () => {
  const documentId = newDocumentId();
  const at = new Date();
  const stranger = { documentId, ownerId: newOwner(), createdAt: at, updatedAt: at };
  const facts = { failedStage: undefined, errorCode: undefined, waitingCode: undefined };
  let rounds = 0;
  await serveApi({
    operator: true,
    operators: {
      onTheRoad: async () => {
        rounds += 1;
        const document = { ...stranger, ...facts, status: 'parse_queued' as const };
        const documents =
          rounds > 1 ? [] : [{ ...document, mayRetry: false, temporalRunUrl: undefined }];
        return { documents, next: undefined };
      },
    },
    documents: {
      explainDocument: async (_caller, id) => explanationOf(id, { status: 'complete' }),
    },
  });
  const { stdout, stderr } = await run(watchCommand, '--everyone');
  expect(stderr).toMatch(new RegExp(`${documentId} +parsing`));
  expect(stdout).toBe(`${documentId}  complete\n`);
});

test('watch has an answer when nothing runs', async () => {
  await serveRoad();
  expect(await run(watchCommand)).toEqual({
    exitCode: 0,
    stdout: 'No document is on its road.\n',
    stderr: '',
  });
  expect((await run(watchCommand, '--json')).stdout).toBe('[]\n');
});

test('two documents of one name are told apart', async () => {
  const road = await serveRoad();
  const ids = [road.add({}, {}, complete), road.add({}, {}, broken)];
  const { stdout, stderr, exitCode } = await run(watchCommand, ...ids);
  for (const id of ids) {
    expect(stderr).toContain(`plan.pdf (${id.slice(0, 8)})`);
    expect(stdout).toContain(id);
  }
  expect(exitCode).toBe(3);
});

test('a document that is deleted while it is watched ends only its own watch', async () => {
  const road = await serveRoad();
  const [kept, gone] = [road.add({}, {}, complete), road.add({}, {})];
  const look = road.look.bind(road);
  let looks = 0;
  road.look = (id) => {
    if (id === gone) looks += 1;
    return look(looks > 2 && id === gone ? newDocumentId() : id);
  };
  const { stdout, exitCode } = await run(watchCommand, kept, gone, '--json');
  expect(JSON.parse(stdout)).toMatchObject([
    { documentId: kept, status: 'complete' },
    { documentId: gone, error: { code: 'NOT_FOUND' } },
  ]);
  expect(exitCode).toBe(5);
});
