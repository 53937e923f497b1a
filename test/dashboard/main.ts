/**
 * `npm run check:dashboard`: a real Prometheus scrapes a running stack that has seen good and bad days, and every query
 * of the dashboard is asked of it. Ends with 1 when one of them finds nothing. Needs Debian's package `prometheus`.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { withServers } from '../../bench/servers.ts';
import { startChild, untilReady } from '../../src/dev/child-process.ts';
import { type PanelQuery, panelQueries, root } from '../support/dashboard.ts';
import { endsWithUs } from '../support/ends-with-us.ts';
import { confirm, declare, ended, put, upload } from '../support/person.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { until, untilTrue } from '../support/until.ts';

await withServers(async ({ databaseUrl, temporalAddress }) => {
  const stack = await startStack({ databaseUrl, temporalAddress });
  const prometheus = await startPrometheus(stack);
  try {
    await stack.worker.start();
    await haveGoodAndBadDays(stack);
    let empty: readonly PanelQuery[] = [];
    // Rates need two scrapes, recorded ratios one evaluation more.
    await until(
      'every query finds something',
      async () => {
        empty = await queriesWithoutData(prometheus.url);
        return empty.length === 0 ? true : undefined;
      },
      60_000,
    ).catch(() => undefined);
    for (const { panel, expr } of empty) console.log(`no data  ${panel}: ${expr}`);
    console.log(`${panelQueries().length - empty.length} of ${panelQueries().length} queries`);
    process.exitCode = empty.length === 0 ? 0 : 1;
  } finally {
    await prometheus.stop();
    await stack.close();
  }
});

/** With the project's own rules; it looks every second instead of every quarter of a minute. */
async function startPrometheus({ metricsAddresses }: Stack) {
  const folder = await mkdtemp(join(tmpdir(), 'intake-prometheus-'));
  const configuration = await readFile(join(root, 'ops/prometheus/prometheus.yml'), 'utf8');
  const configFile = join(folder, 'prometheus.yml');
  await writeFile(
    configFile,
    configuration
      .replaceAll('15s', '1s')
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

/** What the panels are about: ends of both kinds, a retry, a race, a wait that is not over. */
async function haveGoodAndBadDays(stack: Stack): Promise<void> {
  const me = await stack.person();
  const file = (name: string) => ({
    name: `${name}.md`,
    content: `# ${name}\n\nThe plan covers it.`,
  });
  await scraped(stack);
  await ended(me, await upload(me, file('complete')));
  await stack.faults.embedding.add({
    operation: 'embeddings.create',
    effect: { kind: 'answer', status: 500 },
  });
  await ended(me, await upload(me, file('after a retry')));
  const late = file('late');
  const { documentId, uploadUrl } = await declare(me, late);
  await confirm(me, documentId);
  await untilTrue('it is waited for', async () => {
    const text = await (await fetch(`http://${stack.metricsAddresses.worker}/metrics`)).text();
    return text.includes('intake_races_total{kind="upload_late"} 1');
  });
  await scraped(stack);
  await put(uploadUrl, late);
  await confirm(me, documentId);
  await ended(me, documentId);
  const { documentId: awaited } = await declare(me, file('awaited'));
  await confirm(me, awaited);
}

/** An increase is seen between two scrapes. */
async function scraped({ metricsAddresses }: Stack): Promise<void> {
  for (const address of Object.values(metricsAddresses)) {
    await untilTrue(`${address} answers`, async () => {
      return (await fetch(`http://${address}/metrics`).catch(() => undefined))?.ok ?? false;
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 2_500));
}

async function queriesWithoutData(url: string): Promise<readonly PanelQuery[]> {
  const answers = await Promise.all(
    panelQueries().map(async (query) => {
      const asked = new URLSearchParams({ query: query.expr });
      const response = await fetch(`${url}/api/v1/query?${asked}`);
      const { data } = (await response.json()) as { data?: { result: readonly Sample[] } };
      return { query, has: data?.result.some(isNumber) ?? false };
    }),
  );
  return answers.filter(({ has }) => !has).map(({ query }) => query);
}

interface Sample {
  readonly value: readonly [at: number, value: string];
}

/** A division of nothing by nothing answers as well. */
function isNumber({ value: [, value] }: Sample): boolean {
  return value !== 'NaN';
}
