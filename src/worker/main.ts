/** The worker process. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { loadConfig } from '../config.ts';
import { requireSchema } from '../db/migrate.ts';
import { buildActivityDependencies, buildShared, readinessChecks } from '../dependencies.ts';
import { IntakeError } from '../domain/errors.ts';
import { stoppingCheck } from '../observability/health.ts';
import { startHealthServer } from '../observability/health-server.ts';
import { createLogger } from '../observability/logger.ts';
import { temporalLogger } from '../observability/temporal-logger.ts';
import { runMain } from '../run-main.ts';
import { onStopSignal } from '../shutdown.ts';
import { sweepSpool } from '../spool/spooled-file.ts';
import { connectionSettings } from '../temporal/client.ts';
import { ensureSchedules } from '../temporal/schedules.ts';
import { workflowBundle } from './bundle-workflows.ts';
import { createWorker } from './create-worker.ts';
import { workerHealth } from './health.ts';

await runMain(async () => {
  const config = loadConfig();
  const { WORKER_BUILD_ID: buildId } = config;
  const logger = createLogger('worker', config.LOG_LEVEL);
  // Phases of our own decide the order of the stop; the SDK would only stop its part.
  Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] });
  await sweepSpool();
  const draining = new AbortController();
  const shared = buildShared(config, logger);
  await requireSchema(shared.pool).catch((error: unknown) => {
    // A database that is away for a moment is what activities wait for.
    if (!(error instanceof IntakeError) || error.code !== 'DATABASE_UNAVAILABLE') throw error;
    logger.warn({ err: error }, 'the schema could not be checked');
  });
  const dependencies = buildActivityDependencies(shared, draining.signal);
  const connection = await NativeConnection.connect(connectionSettings().connectionOptions);
  const worker = await createWorker({
    connection,
    namespace: shared.temporal.namespace,
    taskQueue: config.TASK_QUEUE,
    // The bundler tells every module it met.
    workflowBundlePath: await workflowBundle(temporalLogger(logger, 'WARN')),
    activities: createActivities(dependencies),
    version:
      buildId === undefined ? undefined : { deploymentName: config.WORKER_DEPLOYMENT, buildId },
  });
  await ensureSchedules(shared.temporal.client, {
    taskQueue: config.TASK_QUEUE,
    everyMs: config.RECONCILE_EVERY_SECONDS * 1000,
    thoroughEveryMs: config.RECONCILE_THOROUGH_EVERY_SECONDS * 1000,
  }).catch((error: unknown) =>
    logger.warn({ err: error }, 'the schedules of reconciliation are not up to date'),
  );
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
    {
      name: 'connections',
      limitMs: 5_000,
      run: async () => {
        await health.close();
        await dependencies.close();
        await connection.close();
        await shared.close();
      },
    },
  ]);
  await running;
});
