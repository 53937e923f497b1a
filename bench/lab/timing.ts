/** `npm run lab -- timing`: from sending the bytes to searchable, stage by stage, without faults. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Laboratory, openLaboratory } from './laboratory.ts';
import { visit } from './person.ts';
import { titleOf } from './report.ts';
import { planDocument } from './scenario.ts';
import { type Side, type SideName, sideNames } from './side.ts';
import { percentile } from './statistics.ts';

export interface Timing {
  readonly side: SideName;
  /** Median of the moments at which each status was first seen, in milliseconds after the person began to send. */
  readonly stages: readonly { readonly status: string; readonly afterMs: number }[];
}

const DOCUMENTS = 5;
const LOOK_MS = 20;

export async function runTiming(say: (words: string) => void): Promise<readonly Timing[]> {
  say('starting Intake’s stack and the controls');
  const laboratory = await openLaboratory({
    sides: sideNames,
    uploadLifetimeSeconds: 60,
    controlPollMs: 5_000,
  });
  try {
    const timings: Timing[] = [];
    for (const side of laboratory.sides) {
      say(`${DOCUMENTS} documents, ${titleOf(side.name)}`);
      timings.push(await timeSide(side, laboratory.faults));
    }
    return timings;
  } finally {
    await laboratory.close();
  }
}

/** One document after the other. */
async function timeSide(side: Side, faults: Laboratory['faults']): Promise<Timing> {
  const moments = new Map<string, number[]>();
  for (let number = 0; number < DOCUMENTS; number += 1) {
    const plan = planDocument(number, { seed: 'timing', side: side.name, faultShare: 0 });
    const visiting = visit(side, plan, faults);
    const seen = await watch(side, number + 1);
    const { sentAtMs = 0 } = await visiting;
    for (const [status, atMs] of seen) {
      moments.set(status, [...(moments.get(status) ?? []), atMs - sentAtMs]);
    }
  }
  const stages = [...moments].map(([status, afterMs]) => ({
    status,
    afterMs: percentile(afterMs, 0.5) ?? 0,
  }));
  return { side: side.name, stages: stages.toSorted((a, b) => a.afterMs - b.afterMs) };
}

/** When each status of the newest document was first seen; ends with the document, the `count`th. */
async function watch(side: Side, count: number): Promise<ReadonlyMap<string, number>> {
  const before = new Set((await side.look()).keys());
  const seen = new Map<string, number>();
  for (;;) {
    const documents = await side.look();
    for (const [id, { status, end }] of documents) {
      if (before.has(id) && before.size === count) continue;
      if (!seen.has(status)) seen.set(status, Date.now());
      if (end !== 'open' && documents.size === count && !before.has(id)) return seen;
    }
    await sleep(LOOK_MS);
  }
}

export function describeTiming(timings: readonly Timing[]): string {
  return timings
    .flatMap(({ side, stages }) => [
      `${titleOf(side)}: seconds after the person began to send, median of ${DOCUMENTS}`,
      ...stages.map(
        ({ status, afterMs }) =>
          `  ${status.padEnd(24)}${(afterMs / 1_000).toFixed(2).padStart(8)}`,
      ),
      '',
    ])
    .join('\n')
    .trimEnd();
}
