/**
 * The matrix: at every stage of a document's life, every part that takes a hand in it is killed, paused and cut off,
 * before the stage's request has its effect, before its answer is heard, and after. The cells are data.
 */
import { type Cell, type Outcome, SUB_BATCH, wrongIn } from './cell.ts';
import { type End, type Fault, faults, strike } from './faults.ts';
import type { Caller, Ground, Server, Target } from './ground.ts';
import { bring, someDocument, untilSettled } from './life.ts';
import { type Moment, moments, type Point } from './wires/checkpoint.ts';

interface Stage extends Point {
  readonly name: string;
  readonly caller: Exclude<Caller, 'second worker'>;
  readonly server: Server | 'api';
}

/** The request by which each stage has its effect. */
const stages: readonly Stage[] = [
  at('accept', 'api', 'postgres', 'sql commit attempts documents objects versions'),
  at('confirm', 'api', 'temporal', 'temporal SignalWithStartWorkflowExecution'),
  at('verify', 'worker', 'storage', 'storage POST /storage/v1/object/copy'),
  at('submit', 'worker', 'parser', 'parser POST /api/v2/parse'),
  at('webhook', 'parser', 'api', 'webhook POST /webhooks/llamaparse/*'),
  at('collect', 'worker', 'storage', 'storage POST /storage/v1/object/files/parsed/*'),
  at(
    'chunk',
    'worker',
    'postgres',
    'sql commit attempts chunks documents generation_terms generations',
  ),
  at('embed', 'worker', 'embedding', 'embedding POST /v1/embeddings', 2),
  at('complete', 'worker', 'postgres', 'sql commit attempts documents generations'),
];

function at(
  name: string,
  caller: Stage['caller'],
  server: Stage['server'],
  label: string,
  occurrence = 1,
): Stage {
  return { name, caller, server, label, occurrence };
}

const targets: readonly Target[] = [
  ...(['worker', 'api', 'postgres', 'temporal', 'storage', 'parser', 'embedding'] as const),
];

const moment: Readonly<Record<Moment, string>> = {
  before: 'before its effect',
  unanswered: 'before its answer',
  answered: 'after its answer',
};

/** A part that has no hand in a stage cannot be missed there. Postgres, Temporal and the worker have one in each. */
function hasAHand({ caller, server }: Stage, target: Target): boolean {
  const everywhere: readonly Target[] = ['worker', 'postgres', 'temporal'];
  return everywhere.includes(target) || target === caller || target === server;
}

/** `quick`: kills alone, and only while the answer is under way, where most can go wrong. */
export function matrixCells(quick: boolean): readonly Cell[] {
  return stages.flatMap((stage) =>
    targets
      .filter((target) => hasAHand(stage, target))
      .flatMap((target) =>
        faults
          .filter((fault) => !quick || fault === 'kill')
          .flatMap((fault) =>
            moments
              .filter((when) => !quick || when === 'unanswered')
              .map((when) => ({
                group: 'matrix',
                name: `${stage.name}: ${fault} ${target} ${moment[when]}`,
                run: (ground: Ground) => strikeAt(ground, { stage, target, fault, when }),
              })),
          ),
      ),
  );
}

interface Blow {
  readonly stage: Stage;
  readonly target: Target;
  readonly fault: Fault;
  readonly when: Moment;
}

async function strikeAt(ground: Ground, blow: Blow): Promise<Outcome> {
  const { stage, target, fault, when } = blow;
  ground.checkpoints[stage.caller].record();
  const person = await ground.person();
  let over: Promise<End> | undefined;
  ground.checkpoints[stage.caller].set({
    ...stage,
    moment: when,
    strike: async () => {
      const struck = strike(ground, target, fault);
      over = struck.over;
      await struck.made;
      const isAtAnEnd = target === stage.caller || target === stage.server;
      return isAtAnEnd && fault !== 'pause' ? 'lose' : 'pass';
    },
  });
  const documentId = await bring(person, someDocument());
  const end = await untilSettled(ground, person, documentId);
  ground.checkpoints[stage.caller].disarm();
  const faultEnd = await over;
  return {
    recoveryMs: faultEnd && (await timeToNextStatus(ground, person.ownerId, faultEnd.atMs)),
    readyMs: faultEnd?.readyMs,
    wrong: await wrongIn(ground, {
      ownerId: person.ownerId,
      end,
      isStruck: faultEnd !== undefined,
      mayRepeat: stage.name === 'embed' ? SUB_BATCH : 0,
    }),
  };
}

/** Until the document's next status was written; absent where it had all of them. */
async function timeToNextStatus(
  { pool }: Ground,
  ownerId: string,
  fromMs: number,
): Promise<number | undefined> {
  const { rows } = await pool.query<{ at: Date | null }>(
    `select min(at) as at from intake.events where owner_id = $1 and kind = 'status' and at > $2`,
    [ownerId, new Date(fromMs)],
  );
  const next = rows[0]?.at;
  return next ? next.getTime() - fromMs : undefined;
}
