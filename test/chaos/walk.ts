/**
 * A random walk: documents keep arriving, some are cancelled or deleted, and parts of Intake are struck, as a seed says.
 * The same seed strikes the same parts in the same order. At the end everything comes to rest and the oracle is asked.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Person } from '../support/person.ts';
import { untilTrue } from '../support/until.ts';
import { inWords, type Outcome, SUB_BATCH } from './cell.ts';
import { type End, type Fault, faults, strike } from './faults.ts';
import type { Ground, Target } from './ground.ts';
import { judge } from './judge.ts';
import { bring, someDocument, untilSettled } from './life.ts';

const targets: readonly Target[] = [
  ...(['worker', 'api', 'postgres', 'temporal', 'storage', 'parser', 'embedding'] as const),
];

/** What the owner does to a document that is on its way. */
const wills = ['nothing', 'nothing', 'nothing', 'cancel', 'delete'] as const;

export interface Step {
  readonly target: Target;
  readonly fault: Fault;
  /** How long after the fault before it. */
  readonly afterMs: number;
  readonly will: (typeof wills)[number];
}

const LONGEST_PAUSE_MS = 3_000;

export function walkOf(seed: number, steps: number): readonly Step[] {
  const random = randomFrom(seed);
  const pick = <Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  return Array.from({ length: steps }, () => ({
    target: pick(targets),
    fault: pick(faults),
    afterMs: Math.floor(random() * LONGEST_PAUSE_MS),
    will: pick(wills),
  }));
}

export async function walk(ground: Ground, steps: readonly Step[]): Promise<Outcome> {
  const person = await ground.person();
  const lives: Promise<string | undefined>[] = [];
  const ends: Promise<End>[] = [];
  const busy = new Map<Target, Promise<End>>();
  for (const { target, fault, afterMs, will } of steps) {
    lives.push(live(ground, person, 'nothing'), live(ground, person, will));
    await delay(afterMs);
    await busy.get(target); // one fault of a part at a time
    const { made, over } = strike(ground, target, fault);
    await made;
    busy.set(target, over);
    ends.push(over);
  }
  const lastEnd = Math.max(...(await Promise.all(ends)).map(({ atMs }) => atMs));
  const unsettled = (await Promise.all(lives)).filter((fault) => fault !== undefined);
  const restMs = Date.now() - lastEnd;
  await untilTrue('what was deleted is swept', () => isSwept(ground, person));
  const violations = await judge(ground, {
    owners: [person.ownerId],
    mayRepeat: () => steps.length * SUB_BATCH,
  });
  return {
    recoveryMs: restMs,
    wrong: [...unsettled, ...inWords(ground, violations)],
  };
}

/** Answers what went wrong, if anything did. */
async function live(
  ground: Ground,
  person: Person,
  will: Step['will'],
): Promise<string | undefined> {
  try {
    await liveOut(ground, person, will);
    return undefined;
  } catch (error) {
    return `${error}`;
  }
}

async function liveOut(ground: Ground, person: Person, will: Step['will']): Promise<void> {
  const documentId = await bring(person, someDocument());
  if (will !== 'nothing') {
    const [method, path] =
      will === 'delete' ? (['DELETE', ''] as const) : (['POST', '/cancel'] as const);
    await untilTrue(`${will} is heard`, async () => {
      const answer = await person
        .send(method, `/v1/documents/${documentId}${path}`)
        .catch(() => undefined);
      return answer !== undefined && answer.status < 500;
    });
  }
  if (will !== 'delete') await untilSettled(ground, person, documentId);
}

/** The first sweep of each erasure is done, and its run closed; the second comes when no upload URL is valid any more. */
async function isSwept(ground: Ground, { ownerId }: Person): Promise<boolean> {
  const { rows } = await ground.pool.query<{ id: string; generations: number }>(
    `select d.id, (select count(*)::int from intake.generations g where g.document_id = d.id) as generations
     from intake.documents d where d.owner_id = $1 and d.deleted_at is not null`,
    [ownerId],
  );
  const left = await Promise.all(
    rows.map(async ({ id, generations }) => {
      const keys = await Promise.all(
        ['uploads', 'originals', 'parsed'].map((root) =>
          ground.objectStore.list(`${root}/${ownerId}/${id}/`),
        ),
      );
      const run = await ground.temporal.workflow.getHandle(`ingest/${id}`).describe();
      return generations + keys.flat().length + (run.status.name === 'RUNNING' ? 1 : 0);
    }),
  );
  return left.every((count) => count === 0);
}

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
