import { describe, expect, test } from 'vitest';
import type { OperatorService } from '../../../src/api/dependencies.ts';
import { errorCodes, IntakeError } from '../../../src/domain/errors.ts';
import {
  type ApiOptions,
  apiUnderTest,
  explanationOf,
  newDocumentId,
  newOwner,
} from '../../support/api-under-test.ts';

const documentId = newDocumentId();
const actor = 'ada';
const until = new Date(Date.now() + 3_600_000).toISOString();
const reason = 'The parser has lost it.';

const commands = [
  ['poll', 'pollParser', { actor }],
  ['extend', 'extendDeadline', { actor, until }],
  ['fail', 'failDocument', { actor, reason }],
  ['retry', 'retryDocument', { actor }],
  ['cancel', 'cancelDocument', { actor }],
] as const;

/** The API with an operations service that notes what it is asked. */
async function noting(options: ApiOptions = {}) {
  const asked: unknown[] = [];
  const note = async (_caller: unknown, id: string, words: unknown) => {
    asked.push([id, words]);
    return { documentId, status: 'parse_queued' as const, answer: 'Done.' };
  };
  const operators: Partial<OperatorService> = Object.fromEntries(
    commands.map(([, operation]) => [operation, note]),
  );
  return { asked, ...(await apiUnderTest({ operators, ...options })) };
}

const at = (command: string) => `/v1/operator/documents/${documentId}/${command}`;

test.each(commands)(
  '%s is done for an operator, and for nobody else',
  async (command, _o, words) => {
    const owner = await noting();
    const refused = await owner.request({ method: 'POST', url: at(command), payload: words });
    expect(refused.json()).toMatchObject({ status: 403, code: 'OPERATORS_ONLY' });
    expect(owner.asked).toEqual([]);
    const { request, asked } = await noting({ operator: true });
    const done = await request({ method: 'POST', url: at(command), payload: words });
    expect(done.json()).toMatchObject({ documentId, statusUrl: `/v1/documents/${documentId}` });
    expect(asked).toEqual([[documentId, words]]);
  },
);

test('an owner learns nothing of others by lists either, whatever is asked', async () => {
  const { request } = await noting();
  for (const url of ['/v1/operator/documents', '/v1/operator/runs?query=x', '/v1/operator/runs']) {
    expect((await request({ url })).json()).toMatchObject({ code: 'OPERATORS_ONLY' });
  }
});

test.each(commands)(
  '%s without a name is refused, and says why one is needed',
  async (command, _o, words) => {
    const { request, asked } = await noting({ operator: true });
    for (const name of [undefined, '', 'ada@example.org']) {
      const payload = { ...words, actor: name };
      const response = await request({ method: 'POST', url: at(command), payload });
      const { code, errors } = response.json();
      expect(code).toBe('INVALID_REQUEST');
      expect(errors).toEqual([
        { field: 'body.actor', message: expect.stringContaining('self-declared') },
      ]);
    }
    expect(asked).toEqual([]);
  },
);

test.each([
  ['extend', { actor, until: '2020-01-01T00:00:00Z' }, 'body.until'],
  ['extend', { actor }, 'body.until'],
  ['fail', { actor, reason: 'x' }, 'body.reason'],
  ['fail', { actor }, 'body.reason'],
])('%s %j is refused', async (command, payload, field) => {
  const { request } = await noting({ operator: true });
  const response = await request({ method: 'POST', url: at(command), payload });
  expect(response.json().errors).toEqual([expect.objectContaining({ field })]);
});

test('what stands in the way is told to operators alone', async () => {
  const detail = 'its run is closed';
  const obstacle = async () => {
    throw new IntakeError('NOT_POSSIBLE_NOW', { detail });
  };
  const operators = { pollParser: obstacle };
  const documents = { cancelDocument: obstacle };
  const operator = await noting({ operator: true, operators });
  const url = at('poll');
  const told = await operator.request({ method: 'POST', url, payload: { actor } });
  expect(told.json()).toMatchObject({ code: 'NOT_POSSIBLE_NOW', reason: detail });
  const owner = await noting({ documents });
  const cancel = `/v1/documents/${documentId}/cancel`;
  const untold = await owner.request({ method: 'POST', url: cancel });
  expect(untold.json()).toMatchObject({ code: 'NOT_POSSIBLE_NOW' });
  expect(untold.body).not.toContain(detail);
});

test('lists have no name, size or hash of a document', async () => {
  const document = {
    documentId,
    ownerId: newOwner(),
    status: 'failed_storage' as const,
    failedStage: 'verify' as const,
    errorCode: 'STORAGE_OUT_OF_PATIENCE' as const,
    waitingCode: undefined,
    mayRetry: true,
    createdAt: new Date(0),
    updatedAt: new Date(1),
    temporalRunUrl: 'http://ui/run',
  };
  const more = { name: 'plan.pdf', sha256: 'abc', sizeBytes: 7 };
  const page = async () => ({ documents: [{ ...document, ...more }], next: 'more' });
  const operators = { onTheRoad: page, findByRuns: page };
  const { request } = await noting({ operator: true, operators });
  for (const url of ['/v1/operator/documents', '/v1/operator/runs?query=x']) {
    const response = await request({ url });
    expect(response.json()).toMatchObject({
      documents: [
        {
          documentId,
          stage: 'verify',
          error: { code: 'STORAGE_OUT_OF_PATIENCE', turn: 'us' },
          mayRetry: true,
          links: { self: `/v1/documents/${documentId}`, temporalRun: 'http://ui/run' },
        },
      ],
      nextCursor: 'more',
    });
    expect(response.body).not.toMatch(/plan\.pdf|abc|sizeBytes/);
  }
});

describe('an explanation', () => {
  test('has the sentence and the hint of the last error, and the way to the run', async () => {
    const facts = {
      lastError: { code: 'STORAGE_FORBIDDEN', at: new Date(0) },
      tries: { number: 3, most: undefined },
      line: { ahead: 1, total: 4 },
      turn: 'us',
      buttons: ['extend', 'fail'],
      run: { state: 'open', workerAnswers: false, url: 'http://ui/run' },
    } as const;
    const { request } = await apiUnderTest({
      documents: { explainDocument: async (_caller, id) => explanationOf(id, facts) },
    });
    const response = await request({ url: `/v1/documents/${documentId}/explanation` });
    const { message, turn, hint } = errorCodes.STORAGE_FORBIDDEN;
    expect(response.json()).toEqual({
      documentId,
      status: 'parse_queued',
      stage: 'collect',
      since: '2026-11-20T10:00:00.000Z',
      attempt: 1,
      tries: { number: 3 },
      lastError: { code: 'STORAGE_FORBIDDEN', message, turn, hint, at: new Date(0).toISOString() },
      line: { ahead: 1, total: 4 },
      turn: 'us',
      buttons: ['extend', 'fail'],
      run: { state: 'open', workerAnswers: false, url: 'http://ui/run' },
    });
  });

  test('is asked for with the rights of the caller', async () => {
    const seen: unknown[] = [];
    const explainDocument: ApiOptions['documents'] = {
      explainDocument: async ({ operator }, id) => {
        seen.push(operator);
        return explanationOf(id);
      },
    };
    for (const operator of [false, true]) {
      const { request } = await apiUnderTest({ operator, documents: explainDocument });
      await request({ url: `/v1/documents/${documentId}/explanation` });
    }
    expect(seen).toEqual([false, true]);
  });
});
