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
import { type Correlation, inCorrelation, newCorrelation } from '../observability/correlation.ts';
import { recordRequest } from '../observability/trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Begins as the request's own, and becomes that of the document it is about. */
    correlation: Correlation;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The caller's own correlation id when it is a UUID, else a fresh one. */
export function correlationIdOf(message: IncomingMessage): string {
  const given = String(message.headers['x-correlation-id'] ?? '').toLowerCase();
  return UUID.test(given) ? given : randomUUID();
}

export const correlation = fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('correlation');
    app.addHook('onRequest', (request, reply, done) => {
      reply.header('x-correlation-id', request.id);
      request.correlation = newCorrelation(request.id);
      inCorrelation(request.correlation, done);
    });
    // Reading the body has led out of the scope.
    app.addHook('preHandler', ({ correlation: scope }, _reply, done) => {
      inCorrelation(scope, done);
    });
    app.addHook('onResponse', async (request, reply) => {
      const { id, method, routeOptions, correlation: scope } = request;
      const route = routeOptions.url ?? 'unknown';
      if (route.startsWith('/health/')) return;
      const aboutAnother = scope.correlationId !== id;
      recordRequest({
        name: `${method} ${route}`,
        correlationId: scope.correlationId ?? id,
        place: aboutAnother ? 'later' : scope.begins ? 'first' : 'alone',
        startedAt: Date.now() - reply.elapsedTime,
        failed: reply.statusCode >= 500,
        attributes: {
          'http.request.method': method,
          'http.route': route,
          'http.response.status_code': reply.statusCode,
        },
      });
    });
  },
  { name: 'correlation' },
);

/** Fastify's own lines quote URLs, so all are off but the two that are rewritten here. */
export class RequestLog extends LogController {
  constructor() {
    super({ disableRequestLogging: true, requestIdLogLabel: 'requestId' });
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
        correlationId: request.correlation?.correlationId ?? request.id,
      },
      'request',
    );
  }

  override streamError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    reply.log.warn({ err: error }, 'answer cut short');
  }
}
