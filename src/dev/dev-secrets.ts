/**
 * Keys of the local stack, made once per clone. The JWT secret says by its first letters that it is no
 * production key: `src/config.ts` refuses it as soon as anything listens or lies beyond loopback.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DEVELOPMENT_SECRET_PREFIX } from '../config.ts';
import { mintServiceKey } from './dev-identity.ts';
import { readJson, writePrivately } from './state-folder.ts';

const devSecrets = z.object({
  jwtSecret: z.string().startsWith(DEVELOPMENT_SECRET_PREFIX),
  /** Kept and not minted anew: the storage stand-in's signed URLs depend on it and outlive a restart. */
  serviceKey: z.string(),
  webhookTokenKey: z.string(),
  webhookSigningSecret: z.string(),
  parserKey: z.string(),
  embeddingsKey: z.string(),
  /** The development user. */
  userId: z.uuid(),
});
export type DevSecrets = z.output<typeof devSecrets>;

export async function loadSecrets(file: string): Promise<DevSecrets> {
  const kept = readJson(file, devSecrets);
  if (kept !== undefined) return kept;
  const jwtSecret = DEVELOPMENT_SECRET_PREFIX + randomKey();
  const fresh: DevSecrets = {
    jwtSecret,
    serviceKey: await mintServiceKey(jwtSecret),
    webhookTokenKey: randomKey(),
    webhookSigningSecret: randomKey(),
    parserKey: randomKey(),
    embeddingsKey: randomKey(),
    userId: randomUUID(),
  };
  writePrivately(file, `${JSON.stringify(fresh, undefined, 2)}\n`);
  return fresh;
}

function randomKey(): string {
  return randomBytes(32).toString('base64url');
}
