/**
 * Keys of the local stack, made once per clone. The JWT secret says by its first letters that it is no
 * production key: `src/config.ts` refuses it as soon as anything listens or lies beyond loopback.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DEVELOPMENT_SECRET_PREFIX } from '../config.ts';
import { readJson, writePrivately } from './state-folder.ts';

const devSecrets = z.object({
  jwtSecret: z.string().startsWith(DEVELOPMENT_SECRET_PREFIX),
  webhookTokenKey: z.string(),
  webhookSigningSecret: z.string(),
  parserKey: z.string(),
  embeddingsKey: z.string(),
  /** The development user. */
  userId: z.uuid(),
});
export type DevSecrets = z.output<typeof devSecrets>;

export function loadSecrets(file: string): DevSecrets {
  const kept = readJson(file, devSecrets);
  if (kept !== undefined) return kept;
  const fresh: DevSecrets = {
    jwtSecret: DEVELOPMENT_SECRET_PREFIX + randomKey(),
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
