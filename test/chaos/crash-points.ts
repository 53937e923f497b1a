/**
 * Crash points: one document's life is recorded, request by request; then, for each request, the worker is killed just
 * before it and just after it, and started again. However it dies, the document must end as if nothing had happened.
 */
import type { Seen } from '../support/person.ts';
import { type Cell, type Outcome, SUB_BATCH, wrongIn } from './cell.ts';
import { type End, strike } from './faults.ts';
import type { Ground } from './ground.ts';
import { bring, someDocument, untilSettled } from './life.ts';
import { type Moment, nameOf, type Point } from './wires/checkpoint.ts';

/** A request that is not forwarded, and one whose answer is never heard. */
const sides = { before: 'just before', unanswered: 'just after' } as const;
type Side = keyof typeof sides & Moment;

/** Everything that the worker asks of others for one document, in order. */
export async function recordLife(ground: Ground): Promise<readonly Point[]> {
  const { worker } = ground.checkpoints;
  worker.record();
  const person = await ground.person();
  await untilSettled(ground, person, await bring(person, someDocument()));
  return worker.recorded();
}

export function crashCells(points: readonly Point[]): readonly Cell[] {
  return points.flatMap((point) =>
    (['before', 'unanswered'] as const).map((side) => ({
      group: 'crash points',
      name: `${sides[side]} ${nameOf(point)}`,
      run: (ground: Ground) => crashAt(ground, point, side),
    })),
  );
}

/** Two messages that come at once share a workflow task, so not every life has each of them. */
const LIVES = 5;

export async function crashAt(ground: Ground, point: Point, side: Side): Promise<Outcome> {
  const { worker } = ground.checkpoints;
  const person = await ground.person();
  let restart: End | undefined;
  let end: Seen;
  let lives = 0;
  do {
    let over: Promise<End> | undefined;
    worker.record();
    worker.set({
      ...point,
      moment: side,
      strike: async () => {
        const struck = strike(ground, 'worker', 'kill');
        over = struck.over;
        await struck.made;
        return 'lose';
      },
    });
    end = await untilSettled(ground, person, await bring(person, someDocument()));
    worker.disarm();
    restart = await over;
    lives += 1;
  } while (restart === undefined && lives < LIVES);
  const again = restart && worker.firstAfter(restart.atMs);
  return {
    recoveryMs: restart && again && again - restart.atMs,
    readyMs: restart?.readyMs,
    wrong: await wrongIn(ground, {
      ownerId: person.ownerId,
      end,
      isStruck: restart !== undefined,
      mayRepeat: isAnsweredAndUnwritten(point, side) ? SUB_BATCH : 0,
    }),
  };
}

/** The one case that the embedder gives no way to prevent. */
function isAnsweredAndUnwritten({ label }: Point, side: Side): boolean {
  return side === 'unanswered'
    ? label.startsWith('embedding ')
    : label.startsWith('sql commit vectors');
}
