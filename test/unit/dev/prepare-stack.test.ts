import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearLockedPorts } from 'get-port';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareStack } from '../../../src/dev/prepare-stack.ts';
import { type StateFolder, stateFolder } from '../../../src/dev/state-folder.ts';
import { IntakeError } from '../../../src/domain/errors.ts';

let folder: StateFolder;
beforeEach(() => {
  clearLockedPorts();
  folder = stateFolder(mkdtempSync(join(tmpdir(), 'intake-prepare-')));
});
afterEach(() => rmSync(folder.root, { recursive: true }));

/** The parts whose programs may not be installed where unit tests run. */
const given = {
  DATABASE_URL: 'postgres://localhost/intake',
  TEMPORAL_ADDRESS: 'localhost:7233',
  EMBEDDINGS_URL: 'http://localhost:9/v1',
  EMBEDDINGS_API_KEY: 'key',
};

test('a development user is there, and only its owner can read the token', async () => {
  const plan = await prepareStack(given, folder);
  expect(readFileSync(folder.tokenFile, 'utf8').trim()).toBe(plan.token);
  expect(statSync(folder.tokenFile).mode & 0o777).toBe(0o600);
  expect(plan.apiUrl).toBe(`http://127.0.0.1:${plan.ports.api}`);
  expect(plan.databaseIsRemote).toBe(false);
});

test('where Supabase is given there is no development user, and the caller brings a token', async () => {
  const supabase = {
    SUPABASE_URL: 'https://project.supabase.co',
    SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_of_the_project',
    SUPABASE_JWKS_URL: 'https://project.supabase.co/auth/v1/.well-known/jwks.json',
  };
  await expect(prepareStack({ ...given, ...supabase }, folder)).resolves.toMatchObject({
    token: undefined,
  });
  const withToken = { ...given, ...supabase, INTAKE_TOKEN: 'theirs' };
  await expect(prepareStack(withToken, folder)).resolves.toMatchObject({ token: 'theirs' });
});

test('too little disk is told, with where and how much is needed', async () => {
  // File systems without a block of their own: nothing is free there.
  const full = process.platform === 'linux' ? '/proc' : '/dev';
  await expect(prepareStack(given, { ...folder, root: full })).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    detail: `Only 0 MB are free at ${full}; 512 MB are needed.`,
  });
});

test('all faults are told at once, and no secret with them', async () => {
  const faulty = {
    ...given,
    API_PORT: 'eighty',
    EMBEDDINGS_API_KEY: '',
    LLAMA_CLOUD_API_KEY: 'short',
    SUPABASE_URL: 'ftp://somewhere',
  };
  const error: unknown = await prepareStack(faulty, folder).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' });
  const detail = error instanceof IntakeError ? error.detail : undefined;
  for (const name of [
    'API_PORT',
    'EMBEDDINGS_API_KEY',
    'LLAMA_CLOUD_API_KEY',
    'SUPABASE_URL',
    'SUPABASE_SERVICE_ROLE_KEY',
    'SUPABASE_JWT_SECRET',
  ]) {
    expect(detail).toContain(name);
  }
  expect(detail).not.toContain('short');
});
