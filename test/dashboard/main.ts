/**
 * `npm run check:dashboard`: a real Prometheus scrapes a running stack that has seen good and bad days, and every query
 * of the dashboard is asked of it. Ends with 1 when one of them finds nothing. Needs Debian's package `prometheus`.
 */
import { withServers } from '../../bench/servers.ts';
import { type PanelQuery, panelQueries } from '../support/dashboard.ts';
import { confirm, declare, ended, put, upload } from '../support/person.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { until, untilTrue } from '../support/until.ts';
import { startPrometheus } from './prometheus.ts';

await withServers(async ({ databaseUrl, temporalAddress }) => {
  const stack = await startStack({ databaseUrl, temporalAddress });
  const prometheus = await startPrometheus(stack);
  try {
    await stack.worker.start();
    await haveGoodAndBadDays(stack, prometheus.url);
    let empty: readonly PanelQuery[] = panelQueries();
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

/** What the panels are about: ends of both kinds, a retry, a race, a wait that is not over. */
async function haveGoodAndBadDays(stack: Stack, prometheusUrl: string): Promise<void> {
  const me = await stack.person();
  const file = (name: string) => ({
    name: `${name}.md`,
    content: `# ${name}\n\nThe plan covers it.`,
  });
  await scraped(stack, prometheusUrl);
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
  await scraped(stack, prometheusUrl);
  await put(uploadUrl, late);
  await confirm(me, documentId);
  await ended(me, documentId);
  const { documentId: awaited } = await declare(me, file('awaited'));
  await confirm(me, awaited);
}

/** An increase is seen between two scrapes: waits for one of every process that begins after now. */
async function scraped({ metricsAddresses }: Stack, prometheusUrl: string): Promise<void> {
  const sinceSeconds = Date.now() / 1000;
  const processes = Object.values(metricsAddresses).length;
  await untilTrue('every process is looked at', async () => {
    const looks = await ask(prometheusUrl, 'timestamp(up == 1)');
    return looks.filter(({ value }) => Number(value[1]) > sinceSeconds).length >= processes;
  });
}

async function ask(prometheusUrl: string, query: string): Promise<readonly Sample[]> {
  const response = await fetch(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query })}`);
  const { data } = (await response.json()) as { data?: { result: readonly Sample[] } };
  return data?.result ?? [];
}

async function queriesWithoutData(url: string): Promise<readonly PanelQuery[]> {
  const answers = await Promise.all(
    panelQueries().map(async (query) => ({
      query,
      has: (await ask(url, query.expr)).some(isNumber),
    })),
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
