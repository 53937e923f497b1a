/**
 * How soon a document goes on whose worker is killed, at each thing that it may wait for: after a restart, and where
 * nothing is restarted and a second worker takes over. A paused one wakes up afterwards and must find itself fenced off.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Person } from '../support/person.ts';
import { type Cell, type Outcome, SUB_BATCH, wrongIn } from './cell.ts';
import { type End, restart } from './faults.ts';
import type { Ground, Worker } from './ground.ts';
import {
  bring,
  confirmed,
  declared,
  type SomeDocument,
  someDocument,
  untilSettled,
} from './life.ts';
import type { Moment, Point } from './wires/checkpoint.ts';

const ways = {
  'is restarted': 'restart',
  'is killed, another takes over': 'kill',
  'is paused, another takes over': 'pause',
} as const;
type Way = (typeof ways)[keyof typeof ways];

interface Wait {
  readonly name: string;
  /** Where the worker is struck; absent while the document waits for its bytes, when nothing is asked of anybody. */
  readonly point?: Point & { readonly moment: Moment };
  /** The parser takes this long, so that the worker is gone when its webhook comes. */
  readonly parserMs?: number;
}

const waits: readonly Wait[] = [
  { name: 'waits for bytes' },
  {
    name: 'waits for the webhook',
    point: { label: 'temporal RespondWorkflowTaskCompleted', occurrence: 3, moment: 'answered' },
    parserMs: 1_500,
  },
  {
    name: 'runs an activity: verify',
    point: { label: 'storage POST /storage/v1/object/copy', occurrence: 1, moment: 'before' },
  },
  {
    name: 'runs an activity: submit',
    point: { label: 'parser POST /api/v2/parse', occurrence: 1, moment: 'unanswered' },
  },
  {
    name: 'runs an activity: embed',
    point: { label: 'embedding POST /v1/embeddings', occurrence: 2, moment: 'before' },
  },
  {
    name: 'has a workflow task in flight',
    point: { label: 'temporal RespondWorkflowTaskCompleted', occurrence: 2, moment: 'before' },
  },
];

export function waitCells(rounds: number): readonly Cell[] {
  const once = Object.entries(ways).flatMap(([words, way]) =>
    waits.map((wait) => ({
      group: `a worker ${words}`,
      name: wait.name,
      run: (ground: Ground) => strikeIn(ground, wait, way),
    })),
  );
  return Array.from({ length: rounds }, () => once).flat();
}

async function strikeIn(ground: Ground, wait: Wait, way: Way): Promise<Outcome> {
  const person = await ground.person();
  const workers: readonly Worker[] = way === 'restart' ? ['worker'] : ['worker', 'second worker'];
  for (const worker of workers) ground.checkpoints[worker].record();
  ground.checkpoints.parser.record();
  if (way !== 'restart') await ground.programs['second worker'].start();
  if (wait.parserMs !== undefined) {
    const effect = { kind: 'delay', ms: wait.parserMs } as const;
    await ground.faults.parser.add({ operation: 'parse.run', effect });
  }
  let struck: Blow | undefined;
  const hit = async (victim: Worker) => {
    for (const worker of workers) ground.checkpoints[worker].disarm();
    struck = await take(ground, victim, way);
  };
  const documentId = await (wait.point === undefined
    ? bringLate(person, someDocument(), () => hit('worker'))
    : bringInto(ground, person, { point: wait.point, workers, hit }));
  const end = await untilSettled(ground, person, documentId);
  const recoveryMs = struck && timeToGoOn(ground, wait, struck);
  await restore(ground, way, struck);
  return {
    recoveryMs,
    readyMs: (await struck?.restarted)?.readyMs,
    wrong: await wrongIn(ground, {
      ownerId: person.ownerId,
      end,
      isStruck: struck !== undefined,
      mayRepeat: wait.name.endsWith('embed') ? SUB_BATCH : 0,
    }),
  };
}

interface Blow {
  readonly victim: Worker;
  /** Whose next request shows that work goes on. */
  readonly successor: Worker;
  /** Of the restart, or of the blow where another takes over. */
  readonly atMs: number;
  readonly restarted: Promise<End> | undefined;
}

async function take(ground: Ground, victim: Worker, way: Way): Promise<Blow> {
  if (way === 'pause') ground.signal(victim, 'SIGSTOP');
  else await ground.kill(victim);
  const atMs = Date.now();
  if (way === 'restart') {
    return { victim, successor: victim, atMs, restarted: restart(ground, victim) };
  }
  const successor = victim === 'worker' ? 'second worker' : 'worker';
  return { victim, successor, atMs, restarted: undefined };
}

/** Whichever worker gets there first is the victim. */
async function bringInto(
  ground: Ground,
  person: Person,
  trap: {
    readonly point: NonNullable<Wait['point']>;
    readonly workers: readonly Worker[];
    readonly hit: (victim: Worker) => Promise<void>;
  },
): Promise<string> {
  const { point, workers, hit } = trap;
  for (const worker of workers) {
    ground.checkpoints[worker].set({
      ...point,
      strike: async () => {
        await hit(worker);
        return 'lose';
      },
    });
  }
  return await bring(person, someDocument());
}

/** The person takes their time; meanwhile the worker is struck. */
async function bringLate(
  person: Person,
  document: SomeDocument,
  hit: () => Promise<void>,
): Promise<string> {
  const accepted = await declared(person, document);
  await hit();
  return await confirmed(person, document, accepted);
}

/** Where the document waits for somebody, the time counts from when that one came. */
function timeToGoOn(ground: Ground, wait: Wait, blow: Blow): number | undefined {
  const webhookAt =
    wait.parserMs === undefined ? undefined : ground.checkpoints.parser.firstAfter(0);
  const from = Math.max(blow.atMs, webhookAt ?? 0);
  const again = ground.checkpoints[blow.successor].firstAfter(from);
  return again === undefined ? undefined : again - from;
}

/** The paused one gets the time to do its worst before the oracle is asked. */
const AWAKE_MS = 2_000;

async function restore(ground: Ground, way: Way, blow: Blow | undefined): Promise<void> {
  await blow?.restarted;
  if (way === 'restart') return;
  if (blow !== undefined && way === 'pause') {
    ground.signal(blow.victim, 'SIGCONT');
    await delay(AWAKE_MS);
  }
  await ground.kill('second worker');
  if (blow?.victim === 'worker' && way === 'kill') await ground.programs.worker.start();
}
