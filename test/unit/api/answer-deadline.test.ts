import { expect, onTestFinished, test, vi } from 'vitest';
import { apiUnderTest, newDocumentId, signToken } from '../../support/api-under-test.ts';

const confirm = `/v1/uploads/${newDocumentId()}/confirm`;

async function stuck() {
  const reached: string[] = [];
  const api = await apiUnderTest({
    documents: {
      confirmUpload: (_caller, id) => {
        reached.push(id);
        return new Promise(() => {});
      },
    },
  });
  return { ...api, reached };
}

test('a request that gets stuck is answered, whether or not it had a body', async () => {
  const { app, ownerId, reached } = await stuck();
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const authorization = `Bearer ${await signToken(ownerId)}`;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const answers = [
    fetch(`${base}${confirm}`, { method: 'POST', headers: { authorization } }),
    fetch(`${base}${confirm}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{}',
    }),
  ];
  await vi.waitFor(() => expect(reached).toHaveLength(2));
  await vi.advanceTimersByTimeAsync(30_000);
  for (const answer of answers) {
    const response = await answer;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'SERVICE_UNAVAILABLE', turn: 'us' });
  }
});

test('an answered request leaves no timer behind', async () => {
  const { request } = await apiUnderTest();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  expect((await request({ url: '/v1/documents' })).statusCode).toBe(200);
  expect(vi.getTimerCount()).toBe(0);
});
