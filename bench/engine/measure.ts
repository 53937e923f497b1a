/** The three measurements: documents one by one, a burst, and many that wait. Sides take turns, so that both meet the same weather. */
import type { Client } from '@temporalio/client';
import { cpuMs } from './processes.ts';
import type { Announced, Side } from './side.ts';

/** What a side's documents took, in milliseconds, one entry each. */
export interface Times {
  readonly announced: number[];
  /** From the confirm until the run has closed. */
  readonly processed: number[];
}

/** Pairs of documents, one of each side; who goes first changes. */
export async function oneByOne<Sides extends readonly Side[]>(
  client: Client,
  sides: Sides,
  documents: number,
): Promise<ReadonlyMap<Side, Times>> {
  const times = new Map(sides.map((side) => [side, { announced: [], processed: [] } as Times]));
  for (let number = 0; number < documents; number += 1) {
    for (const side of number % 2 === 0 ? sides : sides.toReversed()) {
      const startedAt = performance.now();
      const document = await side.announce();
      times.get(side)?.announced.push(performance.now() - startedAt);
      await document.upload();
      const confirmedAt = performance.now();
      await document.confirm();
      await client.workflow.getHandle(document.workflowId).result();
      times.get(side)?.processed.push(performance.now() - confirmedAt);
    }
  }
  return times;
}

/** Calls under way at once. */
const WIDTH = 16;

/** All are announced and uploaded, then all confirmed at once. Resolves with documents per second from the first confirm on. */
export async function burst(client: Client, side: Side, documents: number): Promise<number> {
  const announced = await announceMany(side, documents);
  await inParallel(announced, (document) => document.upload());
  const startedAt = performance.now();
  await inParallel(announced, (document) => document.confirm());
  await inParallel(announced, ({ workflowId }) => client.workflow.getHandle(workflowId).result());
  return documents / ((performance.now() - startedAt) / 1000);
}

/** So many runs that wait under their start delay. */
export async function announceMany(side: Side, documents: number): Promise<readonly Announced[]> {
  const announced: Announced[] = [];
  await inParallel(Array.from({ length: documents }), async () => {
    announced.push(await side.announce());
  });
  return announced;
}

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: WIDTH }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** CPU in milliseconds that each process used while `work` ran, and what that gave. */
export async function withCpu<Result>(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly cpu: Readonly<Record<string, number>> }> {
  const before = new Map(Object.values(pids).map((pid) => [pid, cpuMs(pid)]));
  const result = await work();
  const used = Object.entries(pids).map(([name, pid]) => [
    name,
    cpuMs(pid) - (before.get(pid) ?? 0),
  ]);
  return { result, cpu: Object.fromEntries(used) };
}

/** Events and bytes of a closed run. */
export async function historyOf(
  client: Client,
  side: Side,
): Promise<{ readonly events: number; readonly historyBytes: number }> {
  const document = await side.announce();
  await document.upload();
  await document.confirm();
  const handle = client.workflow.getHandle(document.workflowId);
  await handle.result();
  const { historyLength, historySize = 0 } = await handle.describe();
  return { events: historyLength, historyBytes: historySize };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
