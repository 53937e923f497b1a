/** Live: the process answers. Ready: everything it cannot do without answers as well. */
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import manifest from '../../../package.json' with { type: 'json' };
import type { ApiDependencies, ReadinessCheck } from '../dependencies.ts';
import { livenessAnswer, readinessAnswer } from '../schemas.ts';

const CHECK_DEADLINE_MS = 2_000;

export function healthRoutes({ readiness }: ApiDependencies): FastifyPluginAsyncZod {
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
          response: { 200: livenessAnswer },
        },
      },
      async () => ({ status: 'live' as const, version: manifest.version }),
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
        const notReady = await failing(readiness, request.log);
        return notReady.length === 0
          ? reply.code(200).send({ status: 'ready', notReady })
          : reply.code(503).send({ status: 'not ready', notReady });
      },
    );
  };
}

/** Names for everybody, reasons for the log. */
async function failing(
  checks: readonly ReadinessCheck[],
  log: FastifyBaseLogger,
): Promise<string[]> {
  const results = await Promise.allSettled(checks.map(withinDeadline));
  return checks.flatMap(({ name }, index) => {
    const result = results[index];
    if (result?.status !== 'rejected') return [];
    log.warn({ err: result.reason, check: name }, 'not ready');
    return [name];
  });
}

/** A check that does not heed its signal is given up all the same. */
async function withinDeadline({ check }: ReadinessCheck): Promise<void> {
  const signal = AbortSignal.timeout(CHECK_DEADLINE_MS);
  const deadline = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([check(signal), deadline]);
}
