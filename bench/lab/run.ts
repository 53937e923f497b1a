/** One run of the script: every side's people come at its own even pace, workers are killed, and then it is waited. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Laboratory } from './laboratory.ts';
import { type Visit, visit } from './person.ts';
import type { DocumentPlan } from './scenario.ts';
import type { Seen, Side, SideName } from './side.ts';
import { type Episode, playWeather } from './weather.ts';

export interface RunPlan {
  readonly plans: ReadonlyMap<SideName, readonly DocumentPlan[]>;
  /** A document of number n arrives after n times this. */
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
  const { sides } = laboratory;
  const stopKilling = killWorkers(sides, plan);
  const weather = playWeather(laboratory.faults.storage, plan.weather);
  const visits = await Promise.all(sides.map((side) => arrive(laboratory, side, plan)));
  await weather;
  stopKilling();
  await untilEnded(sides, plan);
  return await Promise.all(
    sides.map(async (side, index) => ({
      name: side.name,
      visits: visits[index] ?? [],
      seen: await side.look(),
    })),
  );
}

async function arrive(
  { faults }: Laboratory,
  side: Side,
  { plans, paceMs, say }: RunPlan,
): Promise<readonly Visit[]> {
  const documents = plans.get(side.name) ?? [];
  const startedAtMs = Date.now();
  const visits: Promise<Visit>[] = [];
  for (const [index, document] of documents.entries()) {
    const dueAtMs = startedAtMs + document.number * paceMs;
    if (dueAtMs > Date.now()) await sleep(dueAtMs - Date.now());
    visits.push(visit(side, document, faults));
    if (index % 200 === 199) say(`${side.name}: ${index + 1} of ${documents.length} have come`);
  }
  return await Promise.all(visits);
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
