/**
 * `node bench/pressure/main.ts [--quick] [--json]`: what documents meet when there are many of them, or large ones.
 * Many at once against a parser and an embedder that refuse; one person's document beside another's thousand; large
 * documents, with the worker's memory and the tries that were lost because it did not answer in time.
 */
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Pool } from '../../src/db/pool.ts';
import { drillPressure, pressureSettings } from '../../test/support/pressure-drill.ts';
import { type Stack, startStack } from '../../test/support/stack.ts';
import { type Servers, withServers } from '../servers.ts';
import { type Fairness, measureFairness } from './fairness.ts';
import { measureLargeDocuments } from './large-documents.ts';
import { printReport } from './report.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** How many and how large: the whole, or a tenth for a first look. */
const sizes = values.quick
  ? { documents: 30, crowd: 100, pages: [232], markdownMegabytes: [5] }
  : { documents: 300, crowd: 1_000, pages: [232, 2_000], markdownMegabytes: [8, 50] };

/** As fast as the stand-in reads, where only our two cores are waited for, and as slow as a vendor. */
const PARSER_MS = [0, 10_000];

/** The caps of one owner lifted. */
const roomy = {
  MAX_UNFINISHED_UPLOADS: '100000',
  MAX_RESERVED_BYTES: '100000000000',
  EMBEDDINGS_BATCH_SIZE: '256',
};

await withServers(async (servers) => {
  const pressure = await withStack(servers, pressureSettings, (stack) =>
    drillPressure(stack, sizes.documents),
  );
  const fairness: Fairness[] = [];
  for (const parserMs of PARSER_MS) {
    const measured = { crowd: sizes.crowd, parserMs };
    fairness.push(
      await withStack(servers, roomy, (stack, pool) => measureFairness(stack, pool, measured)),
    );
  }
  const large = await withStack(servers, roomy, (stack) => measureLargeDocuments(stack, sizes));
  const machine = { cores: availableParallelism(), load: loadavg()[0], node: process.version };
  const report = { pressure, fairness, large, machine };
  if (values.json) console.log(JSON.stringify(report));
  else printReport(report);
});

async function withStack<Figures>(
  { databaseUrl, temporalAddress, pool }: Servers,
  environment: Readonly<Record<string, string>>,
  measure: (stack: Stack, pool: Pool) => Promise<Figures>,
): Promise<Figures> {
  const stack = await startStack({ databaseUrl, temporalAddress, environment });
  try {
    await stack.worker.start();
    return await measure(stack, pool);
  } finally {
    await stack.close();
  }
}
