import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTokenVerifier } from '../../../src/api/verify-token.ts';
import { mintUserToken } from '../../../src/dev/dev-identity.ts';
import { loadSecrets } from '../../../src/dev/dev-secrets.ts';

const supabaseUrl = 'http://127.0.0.1:20006';
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-secrets-'));
  file = join(folder, 'secrets.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('keys are made once and only their owner can read them', async () => {
  const first = await loadSecrets(file);
  expect(await loadSecrets(file)).toEqual(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(new Set(Object.values(first)).size).toBe(Object.values(first).length);
});

test('another clone has other keys', async () => {
  const first = await loadSecrets(file);
  const second = await loadSecrets(join(folder, 'other.json'));
  expect(second.jwtSecret).not.toBe(first.jwtSecret);
  expect(second.userId).not.toBe(first.userId);
});

test('the API takes the development user’s token as any other, and the service key not at all', async () => {
  const { jwtSecret, serviceKey, userId } = await loadSecrets(file);
  const verify = createTokenVerifier({
    issuer: `${supabaseUrl}/auth/v1`,
    sharedSecret: jwtSecret,
    jwksUrl: undefined,
  });
  const token = await mintUserToken(jwtSecret, { id: userId, supabaseUrl });
  await expect(verify(token)).resolves.toEqual({ ownerId: userId, operator: false });
  await expect(verify(serviceKey)).resolves.toBeUndefined();
});
