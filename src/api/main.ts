/** The API process. */
import { loadConfig } from '../config.ts';
import { buildApiDependencies, buildShared } from '../dependencies.ts';
import { createLogger } from '../observability/logger.ts';
import { runMain } from '../run-main.ts';
import { onStopSignal } from '../shutdown.ts';
import { sweepSpool } from '../spool/spooled-file.ts';
import { buildServer } from './server.ts';
import { startOutboxSweep } from './services/outbox-sweep.ts';

await runMain(async () => {
  const config = loadConfig();
  const logger = createLogger('api', config.LOG_LEVEL);
  await sweepSpool();
  const shared = buildShared(config, logger);
  const server = buildServer(buildApiDependencies(shared));
  const sweep = startOutboxSweep(shared);
  onStopSignal(logger, [
    { name: 'requests', limitMs: 15_000, run: () => server.close() },
    { name: 'outbox sweep', limitMs: 10_000, run: () => sweep.stop() },
    { name: 'connections', limitMs: 5_000, run: () => shared.close() },
  ]);
  await server.listen({ host: config.API_HOST, port: config.API_PORT });
});
