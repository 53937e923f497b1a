/**
 * The API is killed between the commit of a document and the start of its run, and between the start and its stamp.
 * Nobody asks again: the outbox sweep of the API that comes after it must heal both.
 */

import { declaration } from '../support/person.ts';
import { until, untilTrue } from '../support/until.ts';
import { type Cell, type Outcome, wrongIn } from './cell.ts';
import { type End, strike } from './faults.ts';
import type { Ground } from './ground.ts';
import { bring, someDocument, untilSettled } from './life.ts';
import type { Moment } from './wires/checkpoint.ts';

const cases = {
  'between commit and start': 'before',
  'between start and stamp': 'unanswered',
} as const satisfies Record<string, Moment>;

export const lostStartCells: readonly Cell[] = Object.entries(cases).map(([name, moment]) => ({
  group: 'the API is killed',
  name,
  run: (ground) => loseStart(ground, moment),
}));

async function loseStart(ground: Ground, moment: Moment): Promise<Outcome> {
  const { api } = ground.checkpoints;
  const person = await ground.person();
  const document = someDocument();
  let over: Promise<End> | undefined;
  api.record();
  api.set({
    label: 'temporal StartWorkflowExecution',
    occurrence: 1,
    moment,
    strike: async () => {
      const struck = strike(ground, 'api', 'kill');
      over = struck.over;
      await struck.made;
      return 'lose';
    },
  });
  const unheard = person
    .send('POST', '/v1/uploads', { json: declaration(document) })
    .catch(() => undefined);
  await untilTrue('the API is struck', async () => over !== undefined);
  const restart = await over;
  const stampedAt = await until('the sweep has stamped the run', async () => {
    const { rows } = await ground.pool.query(
      'select from intake.attempts where owner_id = $1 and run_id is not null',
      [person.ownerId],
    );
    return rows.length > 0 ? Date.now() : undefined;
  });
  await unheard;
  const end = await untilSettled(ground, person, await bring(person, document));
  return {
    recoveryMs: restart && stampedAt - restart.atMs,
    readyMs: restart?.readyMs,
    wrong: await wrongIn(ground, {
      ...{ ownerId: person.ownerId, end, mayRepeat: 0 },
      isStruck: restart !== undefined,
    }),
  };
}
