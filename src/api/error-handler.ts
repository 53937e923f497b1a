/** Every failure leaves as the same problem document; what is our fault is logged with its stack, the rest is not. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { IntakeError } from '../domain/errors.ts';
import { answerUnread } from './answer-unread.ts';
import { describeProblem, translate } from './problem.ts';

/** Where nobody knows better: an outage is over when it is over, and a quota when an upload is finished. */
const RETRY_AFTER_MS = 5_000;

export const problemAnswers = fp(
  async (app: FastifyInstance) => {
    app.setErrorHandler(answerWithProblem);
    app.setNotFoundHandler(() => {
      throw new IntakeError('NOT_FOUND');
    });
  },
  { name: 'problem-answers' },
);

/** Also given to Fastify for what fails before a route is found (`frameworkErrors`). */
export function answerWithProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const translation = translate(error);
  const { code, status } = translation;
  if (status >= 500) request.log.error({ err: error, code }, 'request failed');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 429 || status === 503) {
    const known = error instanceof IntakeError ? error.retryAfterMs : undefined;
    reply.header('retry-after', Math.ceil((known ?? RETRY_AFTER_MS) / 1000));
  }
  const reason = request.operator && error instanceof IntakeError ? error.detail : undefined;
  const problem = describeProblem(translation, request.id, reason);
  reply.code(status).header('x-correlation-id', request.id).type('application/problem+json');
  if (!isBodyUnread(request)) return reply.send(problem);
  // The rest of a body that nobody will read must not be taken for the next request.
  const answer = JSON.stringify(problem);
  return reply
    .header('connection', 'close')
    .header('content-length', Buffer.byteLength(answer))
    .send(answerUnread(answer, request.raw));
}

function isBodyUnread({ raw }: FastifyRequest): boolean {
  const hasBody = 'content-length' in raw.headers || 'transfer-encoding' in raw.headers;
  return hasBody && !raw.complete && !raw.readableEnded;
}
