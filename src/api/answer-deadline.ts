/**
 * Every request is answered within its deadline, and `request.abandoned` tells work under way that nobody waits any more.
 * Not Fastify's `handlerTimeout` and `request.signal`: both take the end of a POST's body for the end of the request
 * (fastify/fastify#6725).
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { IntakeError } from '../domain/errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborts when the caller goes away or the deadline has passed, and when the answer is out. */
    abandoned: AbortSignal;
  }
  interface FastifyContextConfig {
    deadlineMs?: number;
  }
}

const ANSWER_DEADLINE_MS = 30_000;
/** For requests or answers that carry a file: room for a slow line. */
export const TRANSFER_DEADLINE_MS = 600_000;

export const answerDeadlines = fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('abandoned');
    app.addHook('onRequest', async (request, reply) => {
      const controller = new AbortController();
      request.abandoned = controller.signal;
      const timer = setTimeout(() => {
        controller.abort();
        if (reply.raw.headersSent) reply.raw.destroy();
        else reply.send(new IntakeError('SERVICE_UNAVAILABLE', { detail: 'no answer in time' }));
      }, request.routeOptions.config.deadlineMs ?? ANSWER_DEADLINE_MS);
      reply.raw.once('close', () => {
        clearTimeout(timer);
        controller.abort();
      });
    });
  },
  { name: 'answer-deadlines' },
);
