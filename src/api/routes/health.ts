/** Live: the process answers. Ready: everything it cannot do without answers as well. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import manifest from '../../../package.json' with { type: 'json' };
import { failingChecks } from '../../observability/health.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { livenessAnswer, readinessAnswer } from '../schemas.ts';

export function healthRoutes({ liveness, readiness }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    const tags = ['Health'];
    const route = { config: { public: true }, logLevel: 'warn' } as const;

    app.get(
      '/health/live',
      {
        ...route,
        schema: {
          tags,
          operationId: 'live',
          summary: 'The process answers',
          response: { 200: livenessAnswer, 503: livenessAnswer },
        },
      },
      async (request, reply) => {
        const failing = await failingChecks(liveness, request.log);
        const { version } = manifest;
        return failing.length === 0
          ? reply.code(200).send({ status: 'live', version })
          : reply.code(503).send({ status: 'not live', version });
      },
    );

    app.get(
      '/health/ready',
      {
        ...route,
        schema: {
          tags,
          operationId: 'ready',
          summary: 'Requests can be served',
          response: { 200: readinessAnswer, 503: readinessAnswer },
        },
      },
      async (request, reply) => {
        const notReady = await failingChecks(readiness, request.log);
        return notReady.length === 0
          ? reply.code(200).send({ status: 'ready', notReady })
          : reply.code(503).send({ status: 'not ready', notReady });
      },
    );
  };
}
