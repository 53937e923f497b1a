/**
 * `node bench/recovery/main.ts [ROUNDS]`: kill -9 of the worker with documents at every point where it could hurt;
 * how long after the start of a new worker each of them went on. The drill is the chaos test's.
 */
import { availableParallelism, loadavg } from 'node:os';
import { type DrillReport, drillWorkerKill } from '../../test/support/kill-drill.ts';
import { startStack } from '../../test/support/stack.ts';
import { withServers } from '../servers.ts';

const rounds = Number(process.argv[2] ?? 3);
const reports: DrillReport[] = [];
await withServers(async ({ databaseUrl, temporalAddress, pool }) => {
  for (let round = 0; round < rounds; round += 1) {
    const stack = await startStack({
      databaseUrl,
      temporalAddress,
      environment: { PARSE_POLL_FIRST_SECONDS: '600' },
    });
    try {
      await stack.worker.start();
      reports.push(await drillWorkerKill(stack, pool));
    } finally {
      await stack.close();
    }
  }
});
print();

function print(): void {
  const row = (name: string, figures: readonly number[]) =>
    console.log(`${name.padEnd(40)}${figures.map((ms) => `${ms}`.padStart(8)).join('')}`);
  console.log('Milliseconds from the start of the new worker process until …');
  row(
    'it polls',
    reports.map(({ readyMs }) => readyMs),
  );
  for (const { point } of reports[0]?.documents ?? []) {
    const figures = reports.flatMap(({ documents }) =>
      documents.filter((document) => document.point === point).map((one) => one.workAgainMs),
    );
    row(`goes on: ${point}`, figures);
  }
  const again = reports.reduce((sum, { paidTwice }) => sum + paidTwice.length, 0);
  console.log(`Finished inputs of the embedder that were asked for again: ${again}`);
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
  );
}
