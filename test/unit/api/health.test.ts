import { expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
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
