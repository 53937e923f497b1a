import { describe, expect, it } from 'vitest';
import {
  classifyStorageError,
  type StorageErrorFacts,
  storageErrorFacts,
} from '../../../src/storage/classify-storage-error.ts';

const answered = (
  status: number,
  statusCode: string | undefined,
  code?: string,
  message = '',
): StorageErrorFacts => ({ status, statusCode, code, message });

describe('classifyStorageError', () => {
  it.each([
    ['object missing', answered(400, '404', 'NoSuchKey'), 'missing'],
    ['object missing, newer servers', answered(404, 'NoSuchKey', 'NoSuchKey'), 'missing'],
    [
      'object missing, older servers',
      answered(400, '404', undefined, 'Object not found'),
      'missing',
    ],
    ['bucket missing', answered(400, '404', 'NoSuchBucket', 'Bucket not found'), 'forbidden'],
    [
      'bucket missing, older servers',
      answered(400, '404', undefined, 'Bucket not found'),
      'forbidden',
    ],
    ['wrong route', answered(404, '404', undefined, 'Route GET:/x not found'), 'forbidden'],
    ['wrong API key', answered(400, '403', 'AccessDenied'), 'forbidden'],
    ['no API key, said by the gateway', answered(401, '401'), 'forbidden'],
    ['row-level security on upload', answered(400, '403', 'AccessDenied'), 'forbidden'],
    ['key exists', answered(400, '409', 'KeyAlreadyExists'), 'exists'],
    [
      'key exists, older servers',
      answered(400, '409', undefined, 'The resource already exists'),
      'exists',
    ],
    ['bucket exists', answered(400, '409', 'BucketAlreadyExists'), 'exists'],
    ['bucket not empty', answered(400, '409', 'ResourceNotEmpty'), 'forbidden'],
    ['token of another key', answered(400, '400', 'InvalidSignature'), 'forbidden'],
    ['token expired or tampered', answered(400, '400', 'InvalidJWT'), 'forbidden'],
    ['type not allowed', answered(400, '415', 'InvalidMimeType'), 'forbidden'],
    ['too large', answered(400, '413', 'EntityTooLarge'), 'too-large'],
    ['too large, said by a proxy', answered(413, '413'), 'too-large'],
    ['key outside the alphabet', answered(400, '400', 'InvalidKey'), 'forbidden'],
    ['502 with HTML', answered(502, '502'), 'transient'],
    ['500 of the server', answered(500, '500', 'InternalError'), 'transient'],
    ['database times out', answered(544, '544', 'DatabaseTimeout'), 'transient'],
    ['503 inside a 400', answered(400, '503', 'DatabaseReadOnly'), 'transient'],
    ['locked', answered(400, '423', 'ResourceLocked'), 'transient'],
    ["the server's own store refuses it", answered(400, '403', 'S3Error'), 'transient'],
    ['too many connections', answered(429, '429', 'SlowDown'), 'transient'],
    ['request timeout', answered(408, '408'), 'transient'],
    ['a 404 in words behind a 502', answered(502, '404', 'NoSuchKey'), 'transient'],
  ] as const)('%s', (_case, facts, outcome) => {
    expect(classifyStorageError(facts)).toBe(outcome);
  });

  it.each([
    ['server down or aborted', Object.assign(new Error('fetch failed'), { status: undefined })],
    ['not even an error', undefined],
  ])('%s has no status and is transient', (_case, thrown) => {
    expect(classifyStorageError(storageErrorFacts(thrown))).toBe('transient');
  });
});
