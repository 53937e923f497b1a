/** The API process. */
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../config.ts';
import { buildApiDependencies, buildShared } from '../dependencies.ts';
import { stoppingCheck } from '../observability/health.ts';
import { createLogger } from '../observability/logger.ts';
import { startMetricsServer } from '../observability/metrics-server.ts';
import { tracingOf } from '../observability/tracing-of.ts';
import { runMain } from '../run-main.ts';
import { onStopSignal } from '../shutdown.ts';
import { sweepSpool } from '../spool/spooled-file.ts';
import { describeTaskQueue } from '../temporal/task-queue.ts';
import { gaugesOf } from './operators-gauges.ts';
import { buildServer } from './server.ts';
import { startOutboxSweep } from './services/outbox-sweep.ts';

await runMain(async () => {
  const config = loadConfig();
  const logger = createLogger('api', config.LOG_LEVEL);
  await sweepSpool();
  const tracing = await tracingOf(config, 'intake-api');
  const shared = buildShared(config, logger, { interceptors: tracing?.clientInterceptors });
  const stopping = new AbortController();
  const dependencies = buildApiDependencies(shared);
  const readiness = [stoppingCheck(stopping.signal), ...dependencies.readiness];
  const server = buildServer({ ...dependencies, readiness });
  const sweep = startOutboxSweep(shared);
  const metricsServer = await startMetricsServer({
    host: config.METRICS_HOST,
    port: config.METRICS_PORT,
    metrics: shared.metrics,
    logger,
    refresh: gaugesOf({
      ...shared,
      taskQueue: () => describeTaskQueue(shared.temporal, config.TASK_QUEUE),
    }),
  });
  const drainMs = config.API_DRAIN_SECONDS * 1000;
  onStopSignal(logger, [
    {
      // Whoever sends us callers must have seen it before the door is closed.
      name: 'readiness',
      limitMs: drainMs + 1_000,
      run: async () => {
        stopping.abort();
        await delay(drainMs);
      },
    },
    { name: 'requests', limitMs: 15_000, run: () => server.close() },
    { name: 'outbox sweep', limitMs: 10_000, run: () => sweep.stop() },
    { name: 'metrics', limitMs: 1_000, run: () => metricsServer.close() },
    { name: 'connections', limitMs: 5_000, run: () => shared.close() },
    { name: 'traces', limitMs: 2_000, run: async () => tracing?.close() },
  ]);
  await server.listen({ host: config.API_HOST, port: config.API_PORT });
});
