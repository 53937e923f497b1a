/** Commands on documents that are there: status, list, retry, cancel, delete. */
import { expect, test, vi } from 'vitest';
import type { DocumentDetail } from '../../../src/api/dependencies.ts';
import { cancelCommand } from '../../../src/cli/commands/cancel.ts';
import { deleteCommand } from '../../../src/cli/commands/delete.ts';
import { listCommand } from '../../../src/cli/commands/list.ts';
import { retryCommand } from '../../../src/cli/commands/retry.ts';
import { statusCommand } from '../../../src/cli/commands/status.ts';
import { IntakeError } from '../../../src/domain/errors.ts';
import { documentOf, newDocumentId } from '../../support/api-under-test.ts';
import { run, runAtKeyboard, serveApi } from '../../support/cli.ts';

const id = newDocumentId();

function serveDocument(facts: Partial<DocumentDetail>) {
  return serveApi({ documents: { documentDetail: async () => documentOf(id, facts) } });
}

const at = new Date('2026-11-20T10:00:01.500Z');

test.each([
  ['complete', undefined, 0, 'complete: 3 pages, 1 chunk', `intake search "…" --document ${id}`],
  ['parse_queued', undefined, 0, 'parse_queued, 20 %', `intake watch ${id}`],
  ['failed_parse', 'PDF_IS_PROTECTED', 3, 'protected by a password', 'Your turn: intake ingest'],
  [
    'failed_parse',
    'PARSE_TIMEOUT',
    4,
    'took too long',
    `provider’s turn. Then: intake retry ${id}`,
  ],
  [
    'failed_storage',
    'STORAGE_OUT_OF_PATIENCE',
    4,
    'our fault',
    `Our turn. Then: intake retry ${id}`,
  ],
  ['upload_expired', 'UPLOAD_EXPIRED', 3, 'try uploading again', 'Your turn: intake ingest FILE'],
  ['cancelled', 'CANCELLED', 3, 'was cancelled', 'Your turn: intake ingest FILE'],
] as const)('%s (%s) is told with whose turn it is, and ends with %i', async (...row) => {
  const [status, errorCode, exitCode, standing, next] = row;
  await serveDocument({ status, errorCode, pages: 3, chunks: 1 });
  const outcome = await run(statusCommand, id);
  expect(outcome).toMatchObject({ exitCode, stderr: '' });
  expect(outcome.stdout).toContain(standing);
  expect(outcome.stdout).toContain(next);
});

test('a document that was cancelled after its bytes had come can go on', async () => {
  const uploaded = {
    at,
    attempt: 1,
    kind: 'status',
    status: 'uploaded',
    code: undefined,
    command: undefined,
  } as const;
  await serveDocument({ status: 'cancelled', errorCode: 'CANCELLED', timeline: [uploaded] });
  expect((await run(statusCommand, id)).stdout).toContain(`Your turn. Then: intake retry ${id}`);
});

test('a wait is told with its reason, its end, the operators’ hint and the timeline', async () => {
  const code = 'STORAGE_FORBIDDEN';
  await serveDocument({
    status: 'awaiting_upload',
    waiting: { code, since: at, nextTryAt: undefined, deadlineAt: at },
    timeline: [{ at, attempt: 1, kind: 'wait', status: undefined, code, command: undefined }],
  });
  const { stdout, exitCode } = await run(statusCommand, id);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('Your file is safe and waits');
  expect(stdout).toContain('Ends by');
  expect(stdout).toContain('Check SUPABASE_SERVICE_ROLE_KEY');
  expect(stdout).toContain(`1.5 s  #1  wait  ${code}`);
});

test('a document whose bytes are not here yet is for its owner to send', async () => {
  const code = 'STORAGE_OBJECT_ABSENT';
  await serveDocument({
    status: 'awaiting_upload',
    waiting: { code, since: at, nextTryAt: undefined, deadlineAt: at },
  });
  expect((await run(statusCommand, id)).stdout).toContain('Your turn: intake ingest FILE');
});

test('a name cannot pass for lines of ours', async () => {
  await serveDocument({ name: 'a\u001b[2J\r\nStatus complete.pdf' });
  const { stdout } = await run(statusCommand, id);
  expect(stdout.split('\n')[0]).toBe('a Status complete.pdf');
});

test('JSON is the API’s answer, one value and nothing else', async () => {
  await serveDocument({ status: 'failed_parse', errorCode: 'PDF_IS_BROKEN' });
  const { stdout, stderr, exitCode } = await run(statusCommand, id, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    documentId: id,
    status: 'failed_parse',
    error: { code: 'PDF_IS_BROKEN', turn: 'user' },
  });
  expect(stderr).toBe('');
  expect(exitCode).toBe(3);
});

test('without an id, status shows the newest documents as list does', async () => {
  const next = newDocumentId();
  await serveApi({
    documents: { listDocuments: async () => ({ documents: [documentOf(id)], next }) },
  });
  const listed = await run(listCommand);
  expect(listed.stdout).toContain(id);
  expect(listed.stdout).toContain('plan.pdf');
  expect(listed.stderr).toContain(`intake list --cursor ${next}`);
  expect(await run(statusCommand)).toEqual(listed);
  const { documents, nextCursor } = JSON.parse((await run(listCommand, '--json')).stdout);
  expect(documents).toHaveLength(1);
  expect(nextCursor).toBe(next);
});

test('a list is asked for by status, limit and cursor', async () => {
  const asked: unknown[] = [];
  await serveApi({
    documents: {
      listDocuments: async (_caller, filter) => {
        asked.push(filter);
        return { documents: [], next: undefined };
      },
    },
  });
  const { stdout } = await run(
    ...([
      listCommand,
      '--status',
      'complete',
      '--limit',
      '3',
      '--cursor',
      id.toUpperCase(),
    ] as const),
  );
  expect(asked).toEqual([{ status: 'complete', limit: 3, after: id }]);
  expect(stdout).toContain('intake ingest FILE');
});

test.each([
  [statusCommand, ['no-id'], 'no document id'],
  [statusCommand, [id, id], 'too many arguments'],
  [listCommand, ['--status', 'done'], 'Allowed choices'],
  [listCommand, ['--limit', '0'], 'from 1 to 100'],
  [listCommand, ['--colour'], 'unknown option'],
  [retryCommand, [], 'missing required argument'],
])('%o with %j is misused', async (command, argv, sentence) => {
  expect(await run(command, ...argv)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringContaining(sentence),
  });
  const { stdout, stderr, exitCode } = await run(command, ...argv, '--json');
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'INVALID_REQUEST',
    detail: expect.stringContaining(sentence),
  });
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 2 });
});

test.each([
  [new IntakeError('NOT_FOUND'), 5, 'intake list'],
  [new IntakeError('SERVICE_UNAVAILABLE', { retryAfterMs: 60_000 }), 6, 'Try again in 60 s'],
  [new IntakeError('RATE_LIMITED', { retryAfterMs: 30_000 }), 6, 'Try again in 30 s'],
  [new IntakeError('INTERNAL_ERROR'), 1, 'Our turn'],
  [new IntakeError('NOT_POSSIBLE_NOW'), 3, 'Your turn: see `intake status ID`'],
])('%s is told in words, with %i', async (error, exitCode, remedy) => {
  await serveApi({ documents: { retryDocument: () => Promise.reject(error) } });
  const outcome = await run(retryCommand, id);
  expect(outcome).toMatchObject({ exitCode, stdout: '' });
  expect(outcome.stderr).toContain(error.message);
  expect(outcome.stderr).toContain(remedy);
  const json = await run(retryCommand, id, '--json');
  expect(JSON.parse(json.stdout)).toEqual({
    error: { code: error.code, message: error.message, turn: error.turn },
  });
  expect(json).toMatchObject({ exitCode, stderr: '' });
});

test('a token that is not good is told with what to set', async () => {
  await serveApi();
  vi.stubEnv('INTAKE_TOKEN', 'foreign');
  expect(await run(statusCommand, id)).toMatchObject({
    exitCode: 5,
    stderr: expect.stringContaining('INTAKE_TOKEN'),
  });
});

test('retry and cancel say how the document stands now', async () => {
  const commanded: string[] = [];
  await serveApi({
    documents: {
      retryDocument: async (_caller, documentId) => {
        commanded.push(`retry ${documentId}`);
        return { documentId, status: 'parse_queued' };
      },
      cancelDocument: async (_caller, documentId) => {
        commanded.push(`cancel ${documentId}`);
        return { documentId, status: 'cancelled' };
      },
    },
  });
  expect((await run(retryCommand, id)).stdout).toContain(`intake watch ${id}`);
  expect((await run(cancelCommand, id)).stdout).toBe(`${id}  cancelled\n`);
  expect(commanded).toEqual([`retry ${id}`, `cancel ${id}`]);
});

test('retry --wait ends as the document does', async () => {
  let looks = 0;
  await serveApi({
    documents: {
      retryDocument: async (_caller, documentId) => ({ documentId, status: 'parse_queued' }),
      documentDetail: async () => {
        looks += 1;
        return looks < 3
          ? documentOf(id, { status: 'parse_queued' })
          : documentOf(id, { status: 'failed_parse', errorCode: 'PARSE_INCOMPLETE' });
      },
    },
  });
  const outcome = await run(retryCommand, id, '--wait', '--json');
  expect(JSON.parse(outcome.stdout)).toMatchObject({ documentId: id, status: 'failed_parse' });
  expect(outcome.exitCode).toBe(4);
});

/** Resolves with the list of what is deleted from then on. */
async function serveDeletion(): Promise<readonly string[]> {
  const deleted: string[] = [];
  await serveApi({
    documents: {
      documentDetail: async () => documentOf(id, { name: 'my\u202eplan.pdf', status: 'complete' }),
      deleteDocument: async (_caller, documentId) => {
        deleted.push(documentId);
        return { documentId, status: 'deleted' };
      },
    },
  });
  return deleted;
}

test.each([
  ['y\n', [id], 0],
  ['YES\n', [id], 0],
  ['n\n', [], 130],
  ['\n', [], 130],
  ['', [], 130],
])('delete asks first: %j', async (typed, expected, exitCode) => {
  const deleted = await serveDeletion();
  const outcome = await runAtKeyboard(typed, deleteCommand, [id]);
  expect(outcome.stderr).toContain('Delete my plan.pdf (1.8 kB, complete) everywhere? [y/N]');
  expect(outcome.exitCode).toBe(exitCode);
  expect(deleted).toEqual(expected);
});

test('where nobody can be asked, delete wants to be told', async () => {
  const deleted = await serveDeletion();
  expect(await run(deleteCommand, id)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--yes'),
  });
  expect(deleted).toEqual([]);
  const outcome = await run(deleteCommand, id, '--yes', '--json');
  expect(JSON.parse(outcome.stdout)).toMatchObject({ documentId: id, status: 'deleted' });
  expect(deleted).toEqual([id]);
});
