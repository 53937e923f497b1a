/** How long each answer took, by the pattern of its route: never by its URL. */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Metrics } from '../observability/metrics.ts';

interface RequestMetricsOptions {
  readonly metrics: Pick<Metrics, 'observe'>;
}

export const requestMetrics = fp<RequestMetricsOptions>(
  async (app: FastifyInstance, { metrics }) => {
    app.addHook('onResponse', async (request, reply) => {
      metrics.observe(
        'intake_http_request_duration_seconds',
        {
          method: request.method,
          route: request.routeOptions.url ?? 'unknown',
          status: `${reply.statusCode}`,
        },
        reply.elapsedTime / 1000,
      );
    });
  },
  { name: 'request-metrics' },
);
