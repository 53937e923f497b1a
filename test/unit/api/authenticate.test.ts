import { describe, expect, test } from 'vitest';
import { IntakeError } from '../../../src/domain/errors.ts';
import { apiUnderTest, jwtSecret, newOwner, signToken } from '../../support/api-under-test.ts';

const url = '/v1/documents';

describe('every route asks for a token', () => {
  test('all those of the contract', async () => {
    const { app, anonymously } = await apiUnderTest();
    const { paths } = (await anonymously({ url: '/openapi.json' })).json();
    const routes = Object.entries<object>(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { security }]) => ({
        method: method.toUpperCase(),
        url: path.replace('{id}', newOwner()),
        open: security?.length === 0,
      })),
    );
    expect(routes.filter(({ open }) => open).map((route) => route.url)).toEqual([
      '/health/live',
      '/health/ready',
      '/health/database',
    ]);
    const closed = routes.filter(({ open }) => !open);
    expect(closed.length).toBeGreaterThan(10);
    for (const { method, url: path } of closed) {
      const response = await app.inject({ method: asMethod(method), url: path });
      expect(response.statusCode, `${method} ${path}`).toBe(401);
    }
  });

  test('and one whose author forgot to think of it', async () => {
    const { anonymously } = await apiUnderTest({
      extend: (app) => app.get('/forgotten', async () => 'secret'),
    });
    expect((await anonymously({ url: '/forgotten' })).statusCode).toBe(401);
  });
});

function asMethod(text: string) {
  const methods = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH'] as const;
  return methods.find((method) => method === text) ?? 'GET';
}

test('the owner reaches the handler', async () => {
  const seen: string[] = [];
  const { request, ownerId } = await apiUnderTest({
    documents: {
      listDocuments: async (caller) => {
        seen.push(caller.ownerId);
        return { documents: [], next: undefined };
      },
    },
  });
  expect((await request({ url })).statusCode).toBe(200);
  expect(seen).toEqual([ownerId]);
});

test('all refusals are the same answer', async () => {
  const { app } = await apiUnderTest();
  const owner = newOwner();
  const tokens = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${Buffer.from('user:password').toString('base64')}`,
    'Bearer nonsense',
    `Bearer ${await signToken(owner, { exp: 1 })}`,
    `Bearer ${await signToken(owner, {}, `${jwtSecret}!`)}`,
    `Bearer ${await signToken(owner, { role: 'anon' })}`,
    `Bearer ${await signToken(owner)} ${await signToken(owner)}`,
  ];
  const answers = await Promise.all(
    tokens.map(async (authorization) => {
      const response = await app.inject({
        url,
        headers: authorization === undefined ? {} : { authorization },
      });
      expect(response.headers['www-authenticate']).toBe('Bearer');
      return { ...response.json(), correlationId: undefined };
    }),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', turn: 'user' });
});

test('a token in the query is not read', async () => {
  const { anonymously } = await apiUnderTest();
  const token = await signToken(newOwner());
  const response = await anonymously({ url: `${url}?access_token=${token}` });
  expect(response.statusCode).toBe(401);
});

test('an address that shows refused tokens again and again is told to wait, and a good token still passes', async () => {
  const { anonymously, request } = await apiUnderTest();
  const statuses = new Set<number>();
  for (let time = 0; time < 61; time += 1) statuses.add((await anonymously({ url })).statusCode);
  expect([...statuses]).toEqual([401, 429]);
  expect((await request({ url })).statusCode).toBe(200);
});

test('a key set that does not come is answered 503', async () => {
  const { app } = await apiUnderTest({
    dependencies: {
      verifyToken: async () => {
        throw new IntakeError('SERVICE_UNAVAILABLE');
      },
    },
  });
  const response = await app.inject({ url, headers: { authorization: 'Bearer x' } });
  expect(response.statusCode).toBe(503);
  expect(response.headers['www-authenticate']).toBeUndefined();
});
