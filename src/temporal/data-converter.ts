/** How values become what Temporal stores: the same for client, worker and replay, by one switch. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../config.ts';
import { createPayloadCodec, type PayloadKey, payloadKey } from './payload-codec.ts';

type EncryptionConfig = Pick<Config, 'PAYLOAD_ENCRYPTION' | 'PAYLOAD_ENCRYPTION_KEYS'>;

/** For the bundle as well: failures are made inside of it. */
export const encodedFailuresPath = fileURLToPath(new URL('./encoded-failures.ts', import.meta.url));

/** Keys without the switch read and do not write: so every process has them before the first one writes. */
export function dataConverterOf(config: EncryptionConfig): DataConverter {
  const { PAYLOAD_ENCRYPTION, PAYLOAD_ENCRYPTION_KEYS } = config;
  if (PAYLOAD_ENCRYPTION_KEYS === undefined) return {};
  const encrypt = PAYLOAD_ENCRYPTION === 'on';
  return {
    payloadCodecs: [createPayloadCodec(payloadKeys(PAYLOAD_ENCRYPTION_KEYS), { encrypt })],
    ...(encrypt ? { failureConverterPath: encodedFailuresPath } : {}),
  };
}

/** Of `new,old`. */
export function payloadKeys(list: string): readonly [PayloadKey, ...PayloadKey[]] {
  const [first = '', ...others] = list.split(',').map((key) => key.trim());
  return [payloadKey(first), ...others.map(payloadKey)];
}
