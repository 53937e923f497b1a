/** One run of the script: every side's people come at its own even pace, workers are killed, and then it is waited. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Laboratory } from './laboratory.ts';
import { type Visit, visit } from './person.ts';
import type { DocumentPlan } from './scenario.ts';
import type { Seen, Side, SideName } from './side.ts';
import { type Episode, playWeather } from './weather.ts';

export interface RunPlan {
  readonly plans: ReadonlyMap<SideName, readonly DocumentPlan[]>;
  /** At least this lies between two numbers. */
  readonly paceMs: number;
  readonly weather: readonly Episode[];
  /** Between two kills of workers; none without it. */
  readonly killEveryMs: number | undefined;
  /** Longer than any wait of a document that will go on. */
  readonly quietMs: number;
  readonly say: (words: string) => void;
}

export interface SideRun {
  readonly name: SideName;
  readonly visits: readonly Visit[];
  readonly seen: ReadonlyMap<string, Seen>;
}

export async function runScript(
  laboratory: Laboratory,
  plan: RunPlan,
): Promise<readonly SideRun[]> {
  const { sides, faults } = laboratory;
  const allHaveLeft = new AbortController();
  const stopKilling = killWorkers(sides, plan);
  const weather = playWeather(faults.storage, plan.weather, allHaveLeft.signal);
  const visits = await arrive(laboratory, plan);
  allHaveLeft.abort();
  stopKilling();
  await weather;
  await untilEnded(sides, plan);
  return await Promise.all(
    sides.map(async (side) => ({
      name: side.name,
      visits: visits.get(side.name) ?? [],
      seen: await side.look(),
    })),
  );
}

/** More than this at one side and the machine is what is measured: the next person comes later then, at every side. */
const MOST_OPEN = 50;

/** Number after number, at all sides that meet it in the same moment. */
async function arrive(
  { sides, faults }: Laboratory,
  { plans, paceMs, say }: RunPlan,
): Promise<ReadonlyMap<SideName, readonly Visit[]>> {
  const visits = sides.map((side) => {
    const documents = plans.get(side.name) ?? [];
    const byNumber = new Map(documents.map((document) => [document.number, document]));
    return { side, byNumber, begun: [] as Promise<Visit>[] };
  });
  const last = Math.max(...[...plans.values()].flatMap((own) => own.map(({ number }) => number)));
  const busiest = sides.at(-1);
  for (let number = 0; number <= last; number += 1) {
    for (const { side, byNumber, begun } of visits) {
      const document = byNumber.get(number);
      if (document !== undefined) begun.push(visit(side, document, faults));
    }
    if (number % 100 === 99) say(`${number + 1} of ${last + 1} have come`);
    await sleep(paceMs);
    while (busiest !== undefined && (await busiest.open()) > MOST_OPEN) await sleep(paceMs);
  }
  return new Map(
    await Promise.all(
      visits.map(async ({ side, begun }) => [side.name, await Promise.all(begun)] as const),
    ),
  );
}

/** One worker of each side in turn; whatever it held in memory is gone. */
function killWorkers(sides: readonly Side[], { killEveryMs }: RunPlan): () => void {
  if (killEveryMs === undefined) return () => undefined;
  const timer = setInterval(() => {
    for (const side of sides) side.killWorker();
  }, killEveryMs);
  return () => clearInterval(timer);
}

const LOOK_MS = 1_000;

/** Until none is open, or nobody has ended for so long that whoever is open is stuck. */
async function untilEnded(sides: readonly Side[], { quietMs, say }: RunPlan): Promise<void> {
  let before = '';
  let changedAtMs = Date.now();
  for (;;) {
    const open = await Promise.all(sides.map((side) => side.open()));
    if (open.every((count) => count === 0)) return;
    const now = sides.map(({ name }, index) => `${name} ${open[index]}`).join(', ');
    if (now !== before) changedAtMs = Date.now();
    before = now;
    if (Date.now() - changedAtMs > quietMs) {
      say(`stuck: ${now}`);
      return;
    }
    await sleep(LOOK_MS);
  }
}
