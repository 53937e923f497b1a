import { randomBytes } from 'node:crypto';
import { DefaultFailureConverter, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { dataConverterOf } from '../../../src/temporal/data-converter.ts';
import { failureConverter } from '../../../src/temporal/encoded-failures.ts';
import {
  createPayloadCodec,
  keyIdOf,
  type PayloadKey,
  payloadKey,
} from '../../../src/temporal/payload-codec.ts';

const newKey = () => payloadKey(randomBytes(32).toString('base64'));
const [old, fresh] = [newKey(), newKey()];
const writing = { encrypt: true };
const value = { documentId: 'adbc48fc-d344-545c-b47f-3bb2ab1e5516', pages: 3 };
const plain = defaultPayloadConverter.toPayload(value);

async function encryptedBy(key: PayloadKey): Promise<Payload> {
  const [payload] = await createPayloadCodec([key], writing).encode([plain]);
  if (payload === undefined) throw new Error('no payload');
  return payload;
}

/** What comes out of `payload` for whoever has `keys`. */
async function readBy(keys: readonly [PayloadKey, ...PayloadKey[]], payload: Payload) {
  const [read] = await createPayloadCodec(keys, writing).decode([payload]);
  return read && defaultPayloadConverter.fromPayload(read);
}

describe('an encrypted payload', () => {
  test('is readable with its key, and tells nothing but which that is', async () => {
    const payload = await encryptedBy(old);
    expect(Buffer.from(payload.data ?? []).toString('latin1')).not.toContain(value.documentId);
    expect(Object.keys(payload.metadata ?? {}).toSorted()).toEqual([
      'encoding',
      'encryption-key-id',
    ]);
    expect(keyIdOf(payload)).toBe(old.id);
    expect(await readBy([old], payload)).toEqual(value);
  });

  test('never looks the same twice', async () => {
    const [one, two] = await Promise.all([encryptedBy(old), encryptedBy(old)]);
    expect(one.data).not.toEqual(two.data);
  });

  test('is not readable without its key', async () => {
    const payload = await encryptedBy(old);
    await expect(readBy([fresh], payload)).rejects.toMatchObject({
      code: 'PAYLOAD_UNREADABLE',
      detail: `no key ${old.id}`,
    });
  });

  test('is not readable with another key under the same name', async () => {
    const payload = await encryptedBy(old);
    const impostor = { id: old.id, key: fresh.key };
    await expect(readBy([impostor], payload)).rejects.toMatchObject({ code: 'PAYLOAD_UNREADABLE' });
  });

  test('is not readable once any byte of it was changed, or some are missing', async () => {
    const payload = await encryptedBy(old);
    const data = Buffer.from(payload.data ?? []);
    for (let at = 0; at < data.length; at += 1) {
      const changed = Buffer.from(data);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const read = readBy([old], { ...payload, data: changed });
      await expect(read, `byte ${at}`).rejects.toMatchObject({ code: 'PAYLOAD_UNREADABLE' });
    }
    for (const length of [0, 1, 27, 28, data.length - 1]) {
      const read = readBy([old], { ...payload, data: data.subarray(0, length) });
      await expect(read, `${length} bytes`).rejects.toMatchObject({ code: 'PAYLOAD_UNREADABLE' });
    }
  });
});

describe('rotation', () => {
  test('the first key writes, every key reads', async () => {
    const both = createPayloadCodec([fresh, old], writing);
    const [written] = await both.encode([plain]);
    expect(written && keyIdOf(written)).toBe(fresh.id);
    expect(await readBy([fresh, old], await encryptedBy(old))).toEqual(value);
  });

  test('keys without the switch read and write in the clear', async () => {
    const reading = createPayloadCodec([old], { encrypt: false });
    expect(await reading.encode([plain])).toEqual([plain]);
    const [read] = await reading.decode([await encryptedBy(old)]);
    expect(read && defaultPayloadConverter.fromPayload(read)).toEqual(value);
  });

  test('what was written before the switch stays readable', async () => {
    expect(await readBy([fresh], plain)).toEqual(value);
  });
});

describe('the switch', () => {
  const required = {
    DATABASE_URL: 'postgres://localhost/intake',
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_SERVICE_ROLE_KEY: 'x'.repeat(20),
    SUPABASE_JWT_SECRET: 'x'.repeat(32),
    WEBHOOK_TOKEN_KEY: 'x'.repeat(32),
    WEBHOOK_SIGNING_SECRET: 'x'.repeat(32),
    LLAMA_CLOUD_API_KEY: 'x'.repeat(8),
    EMBEDDINGS_API_KEY: 'x',
  };
  const key = randomBytes(32).toString('base64');

  test('is off by default, and nothing is converted', () => {
    expect(dataConverterOf(loadConfig(required))).toEqual({});
  });

  test('is one setting; messages of failures are encoded with the rest', () => {
    const config = loadConfig({
      ...required,
      PAYLOAD_ENCRYPTION: 'on',
      PAYLOAD_ENCRYPTION_KEYS: key,
    });
    expect(dataConverterOf(config)).toMatchObject({
      payloadCodecs: [expect.anything()],
      failureConverterPath: expect.stringContaining('encoded-failures'),
    });
  });

  test.each([
    ['without a key', undefined],
    ['with a short one', randomBytes(16).toString('base64')],
    ['with a short one behind it', `${key},${randomBytes(31).toString('base64')}`],
  ])('is refused %s', (_what, keys) => {
    const environment = { ...required, PAYLOAD_ENCRYPTION: 'on', PAYLOAD_ENCRYPTION_KEYS: keys };
    expect(() => loadConfig(environment)).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('PAYLOAD_ENCRYPTION_KEYS') }),
    );
  });
});

test('an encoded failure says nothing outside of its payload, and every process reads it', () => {
  const error = new Error('The copayment is 20 dollars.');
  const failure = failureConverter.errorToFailure(error, defaultPayloadConverter);
  expect({ message: failure.message, stack: failure.stackTrace }).toEqual({
    message: 'Encoded failure',
    stack: '',
  });
  // One that does not encode, as before the switch.
  const read = new DefaultFailureConverter().failureToError(failure, defaultPayloadConverter);
  expect(read.message).toBe(error.message);
});
