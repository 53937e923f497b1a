import { expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { IntakeError } from '../../../src/domain/errors.ts';
import { apiUnderTest } from '../../support/api-under-test.ts';

const well = { name: 'database', check: async () => {} };
const ill = {
  name: 'temporal',
  check: async () => {
    throw new Error('connect ECONNREFUSED 10.0.0.7:7233');
  },
};
const mute = { name: 'storage', check: () => new Promise<never>(() => {}) };

test('live says that the process answers, and which version', async () => {
  const { anonymously } = await apiUnderTest({ dependencies: { readiness: [ill] } });
  const response = await anonymously({ url: '/health/live' });
  expect(response.json()).toEqual({ status: 'live', version: manifest.version });
});

test('a process whose event loop stands still is to be ended', async () => {
  const { anonymously } = await apiUnderTest({ dependencies: { liveness: [ill] } });
  const response = await anonymously({ url: '/health/live' });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toEqual({ status: 'not live', version: manifest.version });
});

test('who knows no address is told them at the root, and each of them is there', async () => {
  const { anonymously, request } = await apiUnderTest();
  const root = (await anonymously({ url: '/' })).json();
  expect(root).toMatchObject({ name: 'intake', version: manifest.version });
  const { documentation, description, api, health } = root;
  for (const url of [documentation, description, `${api}/limits`, ...health]) {
    expect((await request({ url })).statusCode, url).toBeLessThan(400);
  }
});

test('ready asks everything that it cannot do without', async () => {
  const { anonymously } = await apiUnderTest({ dependencies: { readiness: [well] } });
  const response = await anonymously({ url: '/health/ready' });
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ status: 'ready', notReady: [] });
});

test('what is not ready is named to everybody and explained to the log alone', async () => {
  const { anonymously, logs } = await apiUnderTest({ dependencies: { readiness: [well, ill] } });
  const response = await anonymously({ url: '/health/ready' });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toEqual({ status: 'not ready', notReady: ['temporal'] });
  expect(logs.some((line) => line.includes('ECONNREFUSED'))).toBe(true);
});

test('a check that never answers is given up', async () => {
  const { anonymously } = await apiUnderTest({ dependencies: { readiness: [mute, well] } });
  const response = await anonymously({ url: '/health/ready' });
  expect(response.json().notReady).toEqual(['storage']);
});

test('which database it is on is told as a fingerprint, and not told while that is away', async () => {
  const { anonymously } = await apiUnderTest();
  expect((await anonymously({ url: '/health/database' })).json()).toEqual({
    fingerprint: '0123456789ab',
  });
  const databaseFingerprint = async () => {
    throw new IntakeError('DATABASE_UNAVAILABLE');
  };
  const away = await apiUnderTest({ dependencies: { databaseFingerprint } });
  expect((await away.anonymously({ url: '/health/database' })).statusCode).toBe(503);
});
