/** The one form of every refusal: RFC 9457 with our code, a sentence for the person and whose turn it is. */
import { expect } from 'vitest';
import type { Answer } from './person.ts';

export function expectProblem(answer: Answer<unknown>, status: number, code: string): void {
  const { headers, body } = answer;
  expect({ status: answer.status, body }).toMatchObject({ status, body: { code } });
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({
    type: `/problems/${code}`,
    title: expect.stringMatching(/\w/),
    status,
    detail: expect.stringMatching(/\w.*\.$/),
    turn: expect.stringMatching(/^(user|us|provider)$/),
    retryable: expect.any(Boolean),
    correlationId: headers.get('x-correlation-id'),
  });
  if (status === 401) expect(headers.get('www-authenticate')).toBe('Bearer');
  if (status === 429 || status === 503) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
}
