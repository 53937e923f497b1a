/** What operators type, over a service that a test scripts. */
import { expect, test } from 'vitest';
import type { OperatedDocument, OperatorService } from '../../../src/api/dependencies.ts';
import { cancelCommand } from '../../../src/cli/commands/cancel.ts';
import { explainCommand } from '../../../src/cli/commands/explain.ts';
import { extendCommand } from '../../../src/cli/commands/extend.ts';
import { failCommand } from '../../../src/cli/commands/fail.ts';
import { pollCommand } from '../../../src/cli/commands/poll.ts';
import { redriveCommand } from '../../../src/cli/commands/redrive.ts';
import { retryCommand } from '../../../src/cli/commands/retry.ts';
import { errorCodes, IntakeError } from '../../../src/domain/errors.ts';
import type { DocumentId } from '../../../src/domain/ids.ts';
import { explanationOf, newDocumentId, newOwner } from '../../support/api-under-test.ts';
import { run, serveApi } from '../../support/cli.ts';

const id = newDocumentId();
const named = ['--actor', 'ada'] as const;

async function serveOperators(operators: Partial<OperatorService> = {}) {
  const asked: unknown[] = [];
  const note = async (_caller: unknown, documentId: DocumentId, words: unknown) => {
    asked.push(words);
    return { documentId, status: 'parse_queued' as const, answer: 'So be it.' };
  };
  const all = {
    pollParser: note,
    extendDeadline: note,
    failDocument: note,
    retryDocument: note,
    cancelDocument: note,
  };
  await serveApi({ operator: true, operators: { ...all, ...operators } });
  return asked;
}

const reason = 'The parser has lost it.';
test.each([
  ['poll', pollCommand, [], { actor: 'ada' }],
  ['extend', extendCommand, ['--for', '2h'], { actor: 'ada', until: expect.stringMatching(/Z$/) }],
  ['fail', failCommand, ['--reason', reason], { actor: 'ada', reason }],
  ['cancel', cancelCommand, [], { actor: 'ada' }],
  ['retry', retryCommand, [], { actor: 'ada' }],
] as const)('%s says who asks', async (_name, command, options, words) => {
  const asked = await serveOperators();
  const { stdout, exitCode } = await run(command, id, ...options, ...named);
  expect(stdout).toContain(id);
  expect(exitCode).toBe(0);
  expect(asked).toEqual([words]);
});

test.each([
  ['poll', pollCommand, []],
  ['extend', extendCommand, ['--for', '2h']],
  ['fail', failCommand, ['--reason', reason]],
] as const)(
  '%s without a name sends nothing and says why one is needed',
  async (_name, command, options) => {
    const asked = await serveOperators();
    const { stderr, exitCode } = await run(command, id, ...options);
    expect(stderr).toContain('--actor: needed. Say who asks, in your own word');
    expect(stderr).toContain('self-declared');
    expect(exitCode).toBe(2);
    expect(asked).toEqual([]);
  },
);

test.each([
  [failCommand, ['--reason', 'x'], '--reason: needed'],
  [failCommand, [], '--reason: needed'],
  [extendCommand, ['--for', 'long'], 'It must be like 90m, 2h or 1d'],
  [cancelCommand, ['--actor', 'ada@example.org'], '--actor: needed'],
] as const)(
  '%# a word that is wrong is told before anything is sent',
  async (command, options, words) => {
    const asked = await serveOperators();
    const withName = options.includes('--actor' as never) ? [] : named;
    const { stderr, exitCode } = await run(command, id, ...options, ...withName);
    expect(stderr).toContain(words);
    expect(exitCode).toBe(2);
    expect(asked).toEqual([]);
  },
);

test('an owner’s token does not open it, and the way is told', async () => {
  await serveApi();
  const { stderr, exitCode } = await run(pollCommand, id, ...named);
  expect(stderr).toContain(errorCodes.OPERATORS_ONLY.message);
  expect(stderr).toContain('docs/operators.md');
  expect(exitCode).toBe(5);
});

test('what stands in the way is told in the run’s words', async () => {
  const detail = 'It does not wait for the parser: it waits for its bytes';
  await serveOperators({
    pollParser: () => Promise.reject(new IntakeError('NOT_POSSIBLE_NOW', { detail })),
  });
  const { stderr, exitCode } = await run(pollCommand, id, ...named);
  expect(stderr).toContain(detail);
  expect(exitCode).toBe(3);
});

test('explain is one screen: where, since when, why, what next, who, and what to type', async () => {
  const inAnHour = new Date(Date.now() + 3_600_000);
  await serveApi({
    documents: {
      explainDocument: async (_caller, documentId) =>
        explanationOf(documentId, {
          words: "Waiting for the parser's webhook; polling when it stays silent.",
          since: new Date(Date.now() - 25 * 60_000),
          tries: { number: 2, most: 3 },
          lastError: { code: 'LLAMAPARSE_SERVER_ERROR', at: undefined },
          nextTryAt: new Date(Date.now() + 300_000),
          deadlineAt: inAnHour,
          line: { ahead: 2, total: 9 },
          turn: 'provider',
          buttons: ['poll', 'extend', 'fail', 'cancel'],
          run: { state: 'open', workerAnswers: false, url: 'http://ui/run' },
        }),
    },
  });
  const { stdout, exitCode } = await run(explainCommand, id);
  const { message, hint } = errorCodes.LLAMAPARSE_SERVER_ERROR;
  for (const words of [
    `${id}  parse_queued`,
    /Stage +collect/,
    /Since .*\(25 min ago\)/,
    /Doing +Waiting for the parser/,
    /Attempt +1/,
    /Tries +2nd of 3/,
    `LLAMAPARSE_SERVER_ERROR: ${message}`,
    hint,
    /Next try .*\(in 5 min\)/,
    /In line +3rd of 9/,
    /Deadline .*\(in 60 min\)/,
    /Must act +The provider/,
    `intake poll ${id} --actor NAME   (or: extend, fail, cancel)`,
    /Run +open; NO WORKER ANSWERS; http:\/\/ui\/run/,
  ]) {
    expect(stdout).toMatch(typeof words === 'string' ? new RegExp(escaped(words)) : words);
  }
  expect(stdout.split('\n').length).toBeLessThan(24);
  expect(exitCode).toBe(0);
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

test.each([
  ['complete', [], 'Nobody', 'none is needed'],
  ['awaiting_upload', ['upload', 'extend'], 'The owner', 'intake ingest FILE   (or: extend)'],
  ['failed_parse', ['retry'], 'Those who run Intake', `intake retry ${id}`],
] as const)('explain %s names the button', async (status, buttons, who, button) => {
  const turn = { complete: undefined, awaiting_upload: 'user', failed_parse: 'us' } as const;
  await serveApi({
    documents: {
      explainDocument: async (_caller, documentId) =>
        explanationOf(documentId, { status, buttons, turn: turn[status] }),
    },
  });
  const { stdout } = await run(explainCommand, id);
  expect(stdout).toContain(who);
  expect(stdout).toContain(button);
});

function found(part: Partial<OperatedDocument>): OperatedDocument {
  return {
    documentId: newDocumentId(),
    ownerId: newOwner(),
    status: 'failed_storage',
    failedStage: 'verify',
    errorCode: 'STORAGE_OUT_OF_PATIENCE',
    waitingCode: undefined,
    mayRetry: true,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    temporalRunUrl: undefined,
    ...part,
  };
}

const query = "FailureKind = 'STORAGE_FORBIDDEN'";
const failed = found({});
const unlucky = found({ status: 'failed_parse' });
const complete = found({ status: 'complete', errorCode: undefined, mayRetry: false });

/** Two pages, and a document that is on both. */
async function servePages() {
  const retried: DocumentId[] = [];
  const queries: string[] = [];
  await serveOperators({
    findByRuns: async (text, { cursor }) => {
      queries.push(text);
      return cursor === undefined
        ? { documents: [failed, complete], next: 'bW9yZQ' }
        : { documents: [failed, unlucky], next: undefined };
    },
    retryDocument: async (_caller, documentId) => {
      if (documentId === unlucky.documentId) throw new IntakeError('NOT_POSSIBLE_NOW');
      retried.push(documentId);
      return { documentId, status: 'awaiting_upload' };
    },
  });
  return { retried, queries };
}

test('redrive --dry-run says what it would do, does nothing, and needs no name', async () => {
  const { retried, queries } = await servePages();
  const { stdout, exitCode } = await run(redriveCommand, '--query', query, '--dry-run');
  expect(stdout).toContain(
    `${failed.documentId}  failed_storage  STORAGE_OUT_OF_PATIENCE  would be`,
  );
  expect(stdout).toContain(`${complete.documentId}  complete  left alone: it is complete`);
  expect(stdout).toContain('2 would be retried, 1 left alone');
  expect(retried).toEqual([]);
  expect(queries).toEqual([query, query]);
  expect(exitCode).toBe(0);
});

test('redrive retries each document once, under a name; one that fails stops no other', async () => {
  const { retried } = await servePages();
  const nameless = await run(redriveCommand, '--query', query);
  expect(nameless.stderr).toContain('--actor: needed');
  expect(retried).toEqual([]);
  const { stdout, exitCode } = await run(redriveCommand, '--query', query, ...named, '--json');
  expect(retried).toEqual([failed.documentId]);
  const { documents } = JSON.parse(stdout);
  expect(documents).toMatchObject([
    { documentId: failed.documentId, outcome: 'retried', status: 'awaiting_upload' },
    { documentId: complete.documentId, outcome: 'left alone' },
    { documentId: unlucky.documentId, outcome: 'not retried' },
  ]);
  expect(exitCode).toBe(4);
});
