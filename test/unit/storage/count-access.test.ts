import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type ErrorCode, IntakeError } from '../../../src/domain/errors.ts';
import { type AccessOutcome, countAccess } from '../../../src/storage/count-access.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { withBreaker } from '../../../src/storage/storage-breaker.ts';

const limits = { maxBytes: 100 };

/** A store whose reads answer as a test says, and what was counted of them. */
function counting(read: () => Promise<Readable>) {
  const outcomes: AccessOutcome[] = [];
  const store: Partial<ObjectStore> = { read };
  return {
    outcomes,
    store: countAccess(withBreaker(store as ObjectStore), (outcome) => outcomes.push(outcome)),
  };
}

test.each([
  ['STORAGE_OBJECT_ABSENT', 'absent'],
  ['STORAGE_FORBIDDEN', 'forbidden'],
  ['STORAGE_UNAVAILABLE', 'unavailable'],
  ['DOCUMENT_TOO_LARGE', 'refused'],
] as const)('%s is counted as %s, and thrown as it came', async (code: ErrorCode, outcome) => {
  const failure = new IntakeError(code);
  const { store, outcomes } = counting(() => Promise.reject(failure));
  await expect(store.read('key', limits)).rejects.toBe(failure);
  expect(outcomes).toEqual([outcome]);
});

test('a call that met the breaker open is an access that failed', async () => {
  const { store, outcomes } = counting(() =>
    Promise.reject(new IntakeError('STORAGE_UNAVAILABLE')),
  );
  for (let call = 0; call < 6; call += 1) await store.read('key', limits).catch(() => undefined);
  expect(outcomes).toEqual([...Array.from({ length: 5 }, () => 'unavailable'), 'breaker_open']);
});

test('a body that was cut short is counted beside its call', async () => {
  const body = new Readable({ read: () => undefined });
  const { store, outcomes } = counting(async () => body);
  const read = await store.read('key', limits);
  read.on('error', () => undefined).destroy(new IntakeError('STORAGE_UNAVAILABLE'));
  await new Promise((closed) => read.once('close', closed));
  expect(outcomes).toEqual(['success', 'unavailable']);
});

test('what its caller gave up is no access', async () => {
  const { store, outcomes } = counting(() =>
    Promise.reject(new DOMException('gone', 'AbortError')),
  );
  await expect(store.read('key', limits)).rejects.toThrow('gone');
  expect(outcomes).toEqual([]);
});
