import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import type { DevSecrets } from '../../../src/dev/dev-secrets.ts';
import type { Ports } from '../../../src/dev/ports.ts';
import {
  apiUrl,
  givenParts,
  isRemoteDatabase,
  serviceEnvironment,
} from '../../../src/dev/stack-plan.ts';

const ports: Ports = {
  api: 20_000,
  temporalUi: 20_001,
  temporal: 20_002,
  temporalHttp: 20_003,
  postgres: 20_005,
  storage: 20_006,
  parser: 20_007,
  embedding: 20_008,
  apiMetrics: 20_009,
  workerMetrics: 20_010,
};
const secrets: DevSecrets = {
  jwtSecret: `dev-only-${'x'.repeat(32)}`,
  serviceKey: 'service-key-of-the-stand-in',
  webhookTokenKey: 'own-webhook-token-key-of-32-characters',
  webhookSigningSecret: 'own-webhook-signing-secret',
  parserKey: 'own-parser-key',
  embeddingsKey: 'own-embeddings-key',
  userId: '5f4f3e9a-0000-4000-8000-000000000001',
};

function planned(environment: Record<string, string>): NodeJS.ProcessEnv {
  return serviceEnvironment({
    environment,
    ports,
    secrets,
    temporalProfileFile: '/state/temporal.toml',
    tokenizerFile: '/tools/tokenizer.json',
  });
}

describe('nothing given', () => {
  test('everything is ours, on loopback, and the configuration is whole', () => {
    expect(givenParts({ PATH: '/bin' })).toEqual([]);
    expect(loadConfig(planned({ PATH: '/bin' }))).toMatchObject({
      DATABASE_URL: 'postgres://postgres@127.0.0.1:20005/postgres',
      SUPABASE_URL: 'http://127.0.0.1:20006',
      LLAMA_CLOUD_BASE_URL: 'http://127.0.0.1:20007',
      EMBEDDINGS_URL: 'http://127.0.0.1:20008/v1',
      EMBEDDINGS_DIMENSIONS: 384,
      PUBLIC_URL: 'http://127.0.0.1:20000',
      API_PORT: 20_000,
    });
  });

  test('what belongs to Temporal and Postgres elsewhere does not leak in', () => {
    const environment = planned({
      TEMPORAL_NAMESPACE: 'production',
      TEMPORAL_API_KEY: 'secret',
      TEMPORAL_TLS: 'true',
      PGSSLMODE: 'require',
    });
    expect(environment).toMatchObject({
      TEMPORAL_ADDRESS: '127.0.0.1:20002',
      TEMPORAL_NAMESPACE: 'default',
      TEMPORAL_CONFIG_FILE: '/state/temporal.toml',
    });
    expect(Object.keys(environment)).not.toContain('TEMPORAL_API_KEY');
    expect(Object.keys(environment)).not.toContain('TEMPORAL_TLS');
    expect(Object.keys(environment)).not.toContain('PGSSLMODE');
  });

  test('loopback goes past a proxy, and other exceptions stay', () => {
    expect(planned({ https_proxy: 'http://proxy:3128', NO_PROXY: '.corp' })['no_proxy']).toBe(
      '.corp,127.0.0.1,localhost,::1',
    );
  });

  test('settings of one’s own stay', () => {
    const environment = planned({ LOG_LEVEL: 'debug', MAX_REQUESTS_PER_MINUTE: '5' });
    expect(environment).toMatchObject({ LOG_LEVEL: 'debug', MAX_REQUESTS_PER_MINUTE: '5' });
  });
});

describe('a part given from outside', () => {
  test.each([
    ['DATABASE_URL', 'postgres', 'postgres://db.example.com/intake'],
    ['TEMPORAL_ADDRESS', 'temporal', 'ns.tmprl.cloud:7233'],
    ['TEMPORAL_PROFILE', 'temporal', 'cloud'],
    ['SUPABASE_URL', 'storage', 'https://project.supabase.co'],
    ['LLAMA_CLOUD_API_KEY', 'parser', 'llx-given-by-the-caller'],
    ['EMBEDDINGS_URL', 'embedding', 'https://api.openai.com/v1'],
  ])('%s is used as it is, in place of our %s', (variable, part, value) => {
    expect(givenParts({ [variable]: value })).toEqual([{ part, variables: [variable] }]);
    expect(planned({ [variable]: value })[variable]).toBe(value);
  });

  test('an empty variable gives nothing', () => {
    expect(givenParts({ DATABASE_URL: '', TEMPORAL_ADDRESS: '' })).toEqual([]);
  });

  test('what else it needs is asked for at once and not filled with keys of ours', () => {
    const environment = planned({
      SUPABASE_URL: 'https://project.supabase.co',
      EMBEDDINGS_URL: 'https://api.openai.com/v1',
    });
    expect(() => loadConfig(environment)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_INVALID',
        detail: expect.stringMatching(
          /SUPABASE_SERVICE_ROLE_KEY[\s\S]*EMBEDDINGS_API_KEY[\s\S]*SUPABASE_JWT_SECRET or/,
        ),
      }),
    );
  });

  test('a parser of theirs without a public address is polled; with one, its signing secret is asked for', () => {
    const key = { LLAMA_CLOUD_API_KEY: 'llx-given-by-the-caller' };
    expect(loadConfig(planned(key)).PUBLIC_URL).toBeUndefined();
    const reachable = planned({ ...key, PUBLIC_URL: 'http://localhost:9' });
    expect(() => loadConfig(reachable)).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('WEBHOOK_SIGNING_SECRET') }),
    );
  });
});

test('the development key is refused beyond loopback', () => {
  expect(() => loadConfig(planned({ API_HOST: '0.0.0.0' }))).toThrow(
    expect.objectContaining({ detail: expect.stringContaining('API_HOST: not on loopback') }),
  );
});

test.each([
  ['postgres://localhost/intake', false],
  ['postgres://user@127.0.0.1:5432/intake', false],
  ['postgres://[::1]/intake', false],
  ['postgres:///intake?host=/var/run/postgresql', false],
  ['postgres://localhost/intake?host=db.example.com', true],
  ['postgres://db.abc.supabase.co:5432/postgres', true],
  ['postgres://10.0.0.5/intake', true],
])('%s is remote: %s', (url, remote) => {
  expect(isRemoteDatabase(url)).toBe(remote);
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://[::1]:80'],
  ['localhost', 'http://localhost:80'],
])('an API on %s is reached under %s', (host, url) => {
  expect(apiUrl(host, 80)).toBe(url);
});
