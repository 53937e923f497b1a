/** One line per request: route pattern, method, status, time, correlation id. Never a URL, a token, a query or a body. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import fp from 'fastify-plugin';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The caller's own correlation id when it is a UUID, else a fresh one. */
export function correlationIdOf(message: IncomingMessage): string {
  const given = String(message.headers['x-correlation-id'] ?? '').toLowerCase();
  return UUID.test(given) ? given : randomUUID();
}

export const correlation = fp(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', async (request, reply) => {
      reply.header('x-correlation-id', request.id);
    });
  },
  { name: 'correlation' },
);

/** Fastify's own lines quote URLs, so all are off but the two that are rewritten here. */
export class RequestLog extends LogController {
  constructor() {
    super({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' });
  }

  override requestCompleted(
    _error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    reply.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
  }

  override streamError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    reply.log.warn({ err: error }, 'answer cut short');
  }
}
