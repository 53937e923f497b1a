/** The status row is a projection of the run: what Temporal says of a run must be what its row says. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { type Closing, closings, type TerminalStatus } from '../../../src/domain/ingestion.ts';
import { searchAttributeNames } from '../../../src/domain/run.ts';
import type { Check, Scene } from './scene.ts';

interface AttemptRow {
  readonly id: string;
  readonly document_id: string;
  readonly owner_id: string;
  readonly run_id: string | null;
  readonly status: string;
  readonly ended: boolean;
}

/** Each attempt that was stamped with its run, as Temporal describes that. */
async function attemptsWithRuns({ database, owners, temporal }: Scene) {
  const { rows } = await database.query<AttemptRow>(
    `select id, document_id, owner_id, run_id, status, ended_at is not null as ended
     from intake.attempts where owner_id = any($1)`,
    [owners],
  );
  return await Promise.all(
    rows.map(async (row) => ({
      row,
      run:
        row.run_id === null
          ? undefined
          : await temporal.workflow
              .getHandle(`ingest/${row.document_id}`, row.run_id)
              .describe()
              .catch(() => undefined),
    })),
  );
}

export const runChecks: readonly Check[] = [
  {
    invariant: 7,
    name: 'a run closes as its row ended',
    async find(scene) {
      return (await attemptsWithRuns(scene))
        .filter(({ row, run }) => run?.status.name !== expected(row))
        .map(({ row, run }) => `${row.id} is ${row.status}, its run ${run?.status.name ?? 'lost'}`);
    },
  },
  {
    invariant: 9,
    name: 'a run names the owner of its document',
    async find(scene) {
      return (await attemptsWithRuns(scene))
        .filter(({ row, run }) => run !== undefined && tenantOf(run) !== row.owner_id)
        .map(({ row }) => row.id);
    },
  },
];

/** In the words of Temporal's SDK. */
const closedAs = {
  completed: 'COMPLETED',
  failed: 'FAILED',
  canceled: 'CANCELLED',
} as const satisfies Record<Closing, string>;

function expected({ status, ended }: AttemptRow): string {
  return ended ? closedAs[closings[status as TerminalStatus]] : 'RUNNING';
}

function tenantOf({ typedSearchAttributes }: WorkflowExecutionDescription): unknown {
  return typedSearchAttributes
    .getAll()
    .find(({ key }) => key.name === searchAttributeNames.tenantId)?.value;
}
