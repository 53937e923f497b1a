/** The worker process. */
import { Runtime } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { loadConfig } from '../config.ts';
import { requireSchema } from '../db/migrate.ts';
import { buildActivityDependencies, buildShared, readinessChecks } from '../dependencies.ts';
import { IntakeError } from '../domain/errors.ts';
import { stoppingCheck } from '../observability/health.ts';
import { startHealthServer } from '../observability/health-server.ts';
import { createLogger } from '../observability/logger.ts';
import { startMetricsServer } from '../observability/metrics-server.ts';
import { temporalLogger } from '../observability/temporal-logger.ts';
import { tracingOf } from '../observability/tracing-of.ts';
import { runMain } from '../run-main.ts';
import { onStopSignal } from '../shutdown.ts';
import { sweepSpool } from '../spool/spooled-file.ts';
import { dataConverterOf } from '../temporal/data-converter.ts';
import { ensureSchedules } from '../temporal/schedules.ts';
import { workflowBundle } from './bundle-workflows.ts';
import { connectWorker } from './connect.ts';
import { createWorker } from './create-worker.ts';
import { workerHealth } from './health.ts';
import { workerIdentity } from './identity.ts';
import { measureActivities } from './measure-activities.ts';
import { serveSdkMetrics } from './sdk-metrics.ts';

await runMain(async () => {
  const config = loadConfig();
  const { WORKER_BUILD_ID: buildId } = config;
  const logger = createLogger('worker', config.LOG_LEVEL);
  const sdkMetrics = config.METRICS_PORT === undefined ? undefined : await serveSdkMetrics();
  Runtime.install({
    logger: temporalLogger(logger),
    // Phases of our own decide the order of the stop; the SDK would only stop its part.
    shutdownSignals: [],
    ...(sdkMetrics && { telemetryOptions: sdkMetrics.telemetryOptions }),
  });
  await sweepSpool();
  const draining = new AbortController();
  const tracing = await tracingOf(config, 'intake-worker');
  const shared = buildShared(config, logger, { interceptors: tracing?.clientInterceptors });
  await requireSchema(shared.pool).catch((error: unknown) => {
    // A database that is away for a moment is what activities wait for.
    if (!(error instanceof IntakeError) || error.code !== 'DATABASE_UNAVAILABLE') throw error;
    logger.warn({ err: error }, 'the schema could not be checked');
  });
  const dependencies = buildActivityDependencies(shared, draining.signal);
  const { connection, close: closeConnection } = await connectWorker(logger);
  const dataConverter = dataConverterOf(config);
  const worker = await createWorker({
    connection,
    namespace: shared.temporal.namespace,
    taskQueue: config.TASK_QUEUE,
    identity: await workerIdentity(shared.pool),
    // The bundler tells every module it met.
    workflowBundlePath: await workflowBundle({
      dataConverter,
      logger: temporalLogger(logger, 'WARN'),
      traced: tracing !== undefined,
    }),
    dataConverter,
    activities: createActivities(dependencies),
    activityInterceptors: [...(tracing?.activityInterceptors ?? []), measureActivities(shared)],
    ...(tracing && { sinks: tracing.sinks }),
    version:
      buildId === undefined ? undefined : { deploymentName: config.WORKER_DEPLOYMENT, buildId },
  });
  const metricsServer = await startMetricsServer({
    host: config.METRICS_HOST,
    port: config.METRICS_PORT,
    metrics: shared.metrics,
    logger,
    ...(sdkMetrics && { append: sdkMetrics.read }),
  });
  const { liveness, readiness, facts } = workerHealth(worker, connection);
  const health = await startHealthServer({
    host: config.WORKER_HEALTH_HOST,
    port: config.WORKER_HEALTH_PORT,
    logger,
    liveness,
    readiness: [stoppingCheck(draining.signal), ...readiness, ...readinessChecks(shared)],
    facts,
  });
  const running = worker.run();
  logger.info({ taskQueue: config.TASK_QUEUE, buildId, healthPort: health.port }, 'worker ready');
  // Beside the first tasks, which need not wait for it.
  void ensureSchedules(shared.temporal.client, {
    taskQueue: config.TASK_QUEUE,
    everyMs: config.RECONCILE_EVERY_SECONDS * 1000,
    thoroughEveryMs: config.RECONCILE_THOROUGH_EVERY_SECONDS * 1000,
  }).catch((error: unknown) =>
    logger.warn({ err: error }, 'the schedules of reconciliation are not up to date'),
  );
  onStopSignal(logger, [
    {
      name: 'tasks in hand',
      limitMs: 27_000,
      run: async () => {
        draining.abort();
        worker.shutdown();
        await running;
      },
    },
    { name: 'metrics', limitMs: 1_000, run: () => metricsServer.close() },
    {
      name: 'connections',
      limitMs: 5_000,
      run: async () => {
        await health.close();
        await dependencies.close();
        await closeConnection();
        await shared.close();
      },
    },
    { name: 'traces', limitMs: 2_000, run: async () => tracing?.close() },
  ]);
  await running;
});
