/** A real Prometheus that scrapes a stack, by the project's own settings and rules. Debian's package `prometheus` has it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startChild, untilReady } from '../../src/dev/child-process.ts';
import { root } from '../support/dashboard.ts';
import { endsWithUs } from '../support/ends-with-us.ts';
import type { Stack } from '../support/stack.ts';

/** It looks every two seconds instead of every quarter of a minute. */
export async function startPrometheus({ metricsAddresses }: Stack) {
  const folder = await mkdtemp(join(tmpdir(), 'intake-prometheus-'));
  const configuration = await readFile(join(root, 'ops/prometheus/prometheus.yml'), 'utf8');
  const configFile = join(folder, 'prometheus.yml');
  await writeFile(
    configFile,
    configuration
      .replaceAll('15s', '2s')
      .replace('alerts.yml', join(root, 'ops/prometheus/alerts.yml'))
      .replace('127.0.0.1:9464', metricsAddresses.api)
      .replace('127.0.0.1:9465', metricsAddresses.worker),
  );
  const address = `127.0.0.1:${await getPort({ host: '127.0.0.1' })}`;
  const child = await startChild({
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    logFile: join(folder, 'prometheus.log'),
    onSpawn: endsWithUs,
  });
  const url = `http://${address}`;
  await untilReady(child, async () => {
    const response = await fetch(`${url}/-/ready`).catch(() => undefined);
    return response?.ok ?? false;
  });
  return {
    url,
    stop: async () => {
      await child.stop();
      await rm(folder, { recursive: true });
    },
  };
}
