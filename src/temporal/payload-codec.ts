/**
 * Payloads encrypted before they reach Temporal, by AES-256-GCM, in the form of Temporal's own samples: whatever speaks
 * to a codec server can show them. The key's id travels with each payload, so that a new key and an old one live side
 * by side; what was written without encryption stays readable.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { IntakeError } from '../domain/errors.ts';

const ENCODING = Buffer.from('binary/encrypted');
const KEY_ID_FIELD = 'encryption-key-id';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface PayloadKey {
  readonly id: string;
  readonly key: Buffer;
}

/** From 32 bytes in base64. The id names the key without telling of it: nobody has to think one up. */
export function payloadKey(base64: string): PayloadKey {
  const key = Buffer.from(base64, 'base64');
  return { id: createHash('sha256').update(key).digest('hex').slice(0, 16), key };
}

/** Writes with the first of `keys`, or in the clear without `encrypt`; reads with any of them. */
export function createPayloadCodec(
  keys: readonly [PayloadKey, ...PayloadKey[]],
  { encrypt }: { readonly encrypt: boolean },
): PayloadCodec {
  const known = new Map(keys.map(({ id, key }) => [id, key]));
  const [present] = keys;
  return {
    encode: async (payloads) =>
      encrypt ? payloads.map((payload) => encrypted(payload, present)) : payloads,
    decode: async (payloads) =>
      payloads.map((payload) => (isEncrypted(payload) ? decrypted(payload, known) : payload)),
  };
}

/** Id of the key that a payload needs; `undefined` when it is not encrypted. */
export function keyIdOf(payload: Payload): string | undefined {
  if (!isEncrypted(payload)) return undefined;
  return Buffer.from(payload.metadata?.[KEY_ID_FIELD] ?? []).toString();
}

function isEncrypted({ metadata }: Payload): boolean {
  return ENCODING.equals(metadata?.['encoding'] ?? Buffer.alloc(0));
}

/** The whole payload, with what it says of itself. */
function encrypted(payload: Payload, { id, key }: PayloadKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
  return {
    metadata: { encoding: ENCODING, [KEY_ID_FIELD]: Buffer.from(id) },
    data: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
  };
}

function decrypted(payload: Payload, known: ReadonlyMap<string, Buffer>): Payload {
  const id = keyIdOf(payload) ?? '';
  const key = known.get(id);
  if (key === undefined)
    throw unreadable(`no key ${id.replaceAll(/[^0-9a-f]/g, '?').slice(0, 16)}`);
  const data = Buffer.from(payload.data ?? []);
  if (data.length < NONCE_BYTES + TAG_BYTES) throw unreadable('too short');
  const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  }).setAuthTag(data.subarray(-TAG_BYTES));
  try {
    const plain = [decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return proto.temporal.api.common.v1.Payload.decode(Buffer.concat(plain));
  } catch (cause) {
    throw unreadable('not what was encrypted', cause);
  }
}

function unreadable(detail: string, cause?: unknown): IntakeError {
  return new IntakeError('PAYLOAD_UNREADABLE', { detail, cause });
}
