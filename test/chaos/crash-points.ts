/**
 * Crash points: one document's life is recorded, request by request; then, for each request, the worker is killed just
 * before it and just after it, and started again. However it dies, the document must end as if nothing had happened.
 */
import type { Ground } from './ground.ts';
import { bring, someDocument, untilSettled } from './life.ts';
import type { Moment, Point } from './wires/checkpoint.ts';

/** A request that is not forwarded, and one whose answer is never heard. */
export const sides = ['before', 'unanswered'] as const satisfies readonly Moment[];
export type Side = (typeof sides)[number];

export interface Crash extends Point {
  readonly side: Side;
}

export interface CrashReport extends Crash {
  readonly documentId: string;
  readonly ownerId: string;
  readonly status: string;
  readonly attempts: number;
  /** False when the document went its way without that request: then nothing was tried. */
  readonly reached: boolean;
  /** From the start of the new process until its first request for the document. */
  readonly workAgainMs: number | undefined;
}

/** Everything that the worker asks of others for one document, in order. */
export async function recordLife(ground: Ground): Promise<readonly Point[]> {
  const { worker } = ground.checkpoints;
  worker.record();
  const person = await ground.person();
  await untilSettled(ground, person, await bring(person, someDocument()));
  return worker.recorded();
}

export async function crashAt(ground: Ground, crash: Crash): Promise<CrashReport> {
  const { worker: checkpoint } = ground.checkpoints;
  const person = await ground.person();
  let restartedAt: number | undefined;
  let restarted: Promise<void> | undefined;
  checkpoint.record();
  checkpoint.set({
    ...crash,
    moment: crash.side,
    strike: async () => {
      await ground.kill('worker');
      restartedAt = Date.now();
      restarted = ground.programs.worker.start();
      return 'lose';
    },
  });
  const documentId = await bring(person, someDocument());
  const { status, attempts } = await untilSettled(ground, person, documentId);
  checkpoint.disarm();
  await restarted;
  const again = restartedAt === undefined ? undefined : checkpoint.firstAfter(restartedAt);
  return {
    ...crash,
    ...{ documentId, ownerId: person.ownerId, status },
    attempts: attempts.length,
    reached: restartedAt !== undefined,
    workAgainMs:
      again === undefined || restartedAt === undefined ? undefined : again - restartedAt,
  };
}
