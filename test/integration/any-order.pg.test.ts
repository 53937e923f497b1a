/**
 * Any order of uploads, confirms, webhooks, work, failures, retries, cancels, deletes, resets and late writes, two of them
 * at a time, on the real database and the real Temporal: after every step the rows hold what the design promises, and
 * from wherever it led every document can still be brought to its end.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acceptUpload } from '../../src/api/services/accept-document.ts';
import {
  cancelDocument,
  confirmUpload,
  deleteDocument,
  retryDocument,
} from '../../src/api/services/command-document.ts';
import { type Fence, noteWaiting, takeOverRun } from '../../src/db/attempts.ts';
import { markDelivered, receiveDelivery } from '../../src/db/webhook-deliveries.ts';
import { type ErrorCode, IntakeError } from '../../src/domain/errors.ts';
import type { AttemptId, DocumentId, ParseJobId } from '../../src/domain/ids.ts';
import {
  canMove,
  initialStatus,
  isTerminal,
  type StartStage,
  type Status,
} from '../../src/domain/ingestion.ts';
import { handleEvent } from '../../src/webhooks/handle-event.ts';
import { sha256, someOwner } from '../support/documents.ts';
import { startServices, type TestServices } from '../support/services.ts';
import { isDue, recordEnd, steps, strayRun } from '../support/worker-steps.ts';

let services: TestServices;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

interface AttemptRow {
  readonly id: AttemptId;
  readonly documentId: DocumentId;
  readonly status: Status;
  readonly startStage: StartStage;
  readonly runId: string | null;
  readonly sha256: string;
  readonly isCurrent: boolean;
  readonly isDeleted: boolean;
  /** Every status it had, in order. */
  readonly line: readonly Status[];
}

/** One owner with two files, and what was seen of them so far. */
interface World {
  readonly caller: {
    readonly ownerId: ReturnType<typeof someOwner>;
    readonly correlationId: string;
  };
  readonly contents: readonly string[];
  readonly seen: Map<AttemptId, AttemptRow>;
  /** Events of the parser that have reached their run. */
  readonly delivered: Set<string>;
}

const endings: readonly ErrorCode[] = [
  'UPLOAD_EXPIRED',
  'CHECKSUM_MISMATCH',
  'STORAGE_OUT_OF_PATIENCE',
  'PARSE_TIMEOUT',
  'DOCUMENT_CHUNKING_FAILED',
  'EMBEDDER_REJECTED',
  'CANCELLED',
];
const workNames = Object.keys(steps) as (keyof typeof steps)[];
const apiCommands = {
  confirm: confirmUpload,
  cancel: cancelDocument,
  retry: retryDocument,
  delete: deleteDocument,
} as const;
const apiNames = Object.keys(apiCommands) as (keyof typeof apiCommands)[];

const command = fc.record({
  name: fc.oneof(
    { weight: 2, arbitrary: fc.constant('upload' as const) },
    { weight: 8, arbitrary: fc.constant('work' as const) },
    { weight: 4, arbitrary: fc.constantFrom(...apiNames) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('repeat', 'stray', 'fail', 'webhook', 'wait', 'reset'),
    },
  ),
  /** Which of the two files. */
  content: fc.nat({ max: 1 }),
  /** Which of its attempts, from the newest on: mostly that one. */
  attempt: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 4 })),
  choice: fc.nat({ max: 41 }),
});
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

async function attemptsOf({ caller }: World): Promise<readonly AttemptRow[]> {
  const { rows } = await services.pool.query<AttemptRow>(
    `select a.id, a.document_id as "documentId", a.status, a.start_stage as "startStage", a.run_id as "runId", v.sha256,
            d.current_attempt_id = a.id as "isCurrent", d.deleted_at is not null as "isDeleted",
            (select array_agg(e.status order by e.id) from intake.events e
             where e.attempt_id = a.id and e.kind = 'status') as line
     from intake.attempts a join intake.versions v on v.id = a.version_id join intake.documents d on d.id = a.document_id
     where a.owner_id = $1 order by a.created_at desc, a.number desc`,
    [caller.ownerId],
  );
  return rows;
}

async function perform(world: World, { name, content, attempt: back, choice }: Command) {
  const { caller, contents } = world;
  const text = contents[content] ?? '';
  const rows = (await attemptsOf(world)).filter((row) => row.sha256 === sha256(text));
  const attempt = rows[back % Math.max(rows.length, 1)];
  if (name === 'upload' || !attempt) {
    await acceptUpload(services, caller, declarationOf(text));
    return;
  }
  // The first activity of an attempt whose start was not stamped claims it.
  const fence: Fence = { ...fenceOf(attempt), runId: attempt.runId ?? randomUUID() };
  switch (name) {
    case 'work':
    case 'repeat': {
      const done = work(attempt, fence, name === 'work' ? undefined : choice);
      return isTerminal(attempt.status) && attempt.status !== 'complete' ? isRefused(done) : done;
    }
    case 'stray':
      return attempt.runId === null ? undefined : isRefused(work(attempt, strayRun(fence), choice));
    case 'fail':
      return recordEnd(services.pool, fence, endings[choice % endings.length] ?? 'INTERNAL_ERROR');
    case 'wait':
      return noteWaiting(services.pool, fence, {
        code: 'STORAGE_UNAVAILABLE',
        detail: undefined,
        nextTryAt: undefined,
        deadlineAt: undefined,
      });
    case 'reset':
      return takeOverRun(services.pool, strayRun(fence));
    case 'webhook':
      // Doubled, as vendors do.
      await hear(world, attempt, choice);
      return hear(world, attempt, choice);
    default:
      await apiCommands[name](services, caller, attempt.documentId);
  }
}

async function isRefused(late: Promise<void>): Promise<void> {
  await expect(late).rejects.toBeInstanceOf(IntakeError);
}

const declarationOf = (text: string) => ({
  name: 'policy.txt',
  mediaType: 'text/plain' as const,
  sizeBytes: Buffer.byteLength(text),
  sha256: sha256(text),
});
const fenceOf = ({ documentId, id: attemptId }: AttemptRow) => ({ documentId, attemptId });

/** The next step of a run, or one of those that it has taken already. */
async function work(row: AttemptRow, fence: Fence, choice: number | undefined): Promise<void> {
  // An ended attempt is worked on by what was still under way: its last status on the road counts.
  const status = row.line.findLast((reached) => !isTerminal(reached)) ?? row.status;
  const due = workNames.filter((name) => isDue(steps[name], status));
  const name = choice === undefined ? due.at(-1) : due[choice % due.length];
  if (name) await steps[name].take(services.pool, fence);
}

/** One of two events of a parse job, the one more often than the other; Temporal does not always take it. */
async function hear({ delivered }: World, { id }: AttemptRow, choice: number): Promise<void> {
  const { pool, runs } = services;
  const { rows } = await pool.query<{ id: ParseJobId }>(
    'select parse_job_id as id from intake.attempt_parse_jobs where attempt_id = $1',
    [id],
  );
  const parseJobId = rows[0]?.id;
  if (!parseJobId) return;
  const eventId = `${parseJobId}/${choice % 3 === 0 ? 'second' : 'first'}`;
  const isRepeated = delivered.has(eventId);
  const outcome = await handleEvent(
    parseJobId,
    { eventId, ending: 'parse.success' },
    {
      deliveries: {
        receive: (delivery) => receiveDelivery(pool, delivery),
        markDelivered: async (event) => {
          await markDelivered(pool, event);
          delivered.add(event);
        },
      },
      signalParseEvent: async (documentId, event) => {
        if (choice % 5 === 0) throw new IntakeError('SERVICE_UNAVAILABLE');
        return await runs.signalParseEvent(documentId, event);
      },
    },
  );
  expect(outcome === 'duplicate' || !isRepeated, 'signalled once').toBe(true);
}

/** Refusals that people and late writers are told; anything else is a fault. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'NOT_POSSIBLE_NOW',
  'NOT_FOUND',
  'UPLOAD_QUOTA_EXCEEDED',
  'ATTEMPT_SUPERSEDED',
  'DOCUMENT_DELETED',
  'CANCELLED',
  'SERVICE_UNAVAILABLE',
]);

async function orRefused(performed: Promise<unknown>): Promise<void> {
  try {
    await performed;
  } catch (error) {
    if (!(error instanceof IntakeError) || !refusals.has(error.code)) throw error;
  }
}

async function checkAttempts(world: World): Promise<void> {
  for (const attempt of await attemptsOf(world)) {
    const { id, line, status } = attempt;
    expect(line[0]).toBe(initialStatus[attempt.startStage]);
    const illegal = line.filter((next, index) => {
      const from = line[index - 1];
      return from !== undefined && !canMove(from, next);
    });
    expect(illegal, line.join(' ')).toEqual([]);
    expect(line.at(-1), 'the timeline tells of every move').toBe(status);
    const before = world.seen.get(id) ?? attempt;
    expect(line.slice(0, before.line.length), 'the past stays').toEqual(before.line);
    expect(!isTerminal(before.status) || status === before.status, 'terminal is final').toBe(true);
    const mayRun = attempt.isCurrent && !attempt.isDeleted;
    expect(mayRun || isTerminal(status), `${status}, superseded or deleted`).toBe(true);
    world.seen.set(id, attempt);
  }
}

async function checkDocuments({ caller }: World): Promise<void> {
  const { rows } = await services.pool.query<{
    sha256: string | null;
    deleted: boolean;
    status: Status;
    live: boolean;
    whole: boolean;
    named: boolean;
  }>(
    `select d.sha256, d.deleted_at is not null as deleted, a.status, d.live_generation_id is not null as live, d.name <> '' as named,
            (select g.chunk_count from intake.generations g where g.id = d.live_generation_id)
              = (select count(*) from intake.vectors_384 x where x.generation_id = d.live_generation_id) as whole
     from intake.documents d join intake.attempts a on a.id = d.current_attempt_id where d.owner_id = $1`,
    [caller.ownerId],
  );
  const living = rows.filter(({ deleted }) => !deleted);
  expect(new Set(living.map((row) => row.sha256)).size, 'one per content').toBe(living.length);
  const broken = rows.filter(({ deleted, live, named, status, whole, sha256: hash }) =>
    deleted ? live || named || hash !== null : live !== (status === 'complete') || (live && !whole),
  );
  expect(broken, 'a tombstone is bare; live means complete and whole').toEqual([]);
}

/** Nothing is stranded: the run of whatever is still open brings it to its end. */
async function finish(world: World): Promise<void> {
  const open = (await attemptsOf(world)).filter(({ status }) => !isTerminal(status));
  for (const attempt of open) {
    const fence = { ...fenceOf(attempt), runId: attempt.runId ?? randomUUID() };
    const left = workNames.slice(
      workNames.findLastIndex((name) => isDue(steps[name], attempt.status)),
    );
    for (const name of left) await steps[name].take(services.pool, fence);
  }
  const now = await attemptsOf(world);
  const ended = open.map(({ id }) => now.find((attempt) => attempt.id === id)?.status);
  expect(ended).toEqual(open.map(() => 'complete'));
}

test('any order of what can happen keeps every promise, and every document can be finished', async () => {
  const moments = fc.array(fc.array(command, { minLength: 1, maxLength: 2 }), {
    minLength: 8,
    maxLength: 24,
  });
  await fc.assert(
    fc.asyncProperty(moments, async (happened) => {
      const world: World = {
        caller: { ownerId: someOwner(), correlationId: randomUUID() },
        contents: [randomUUID(), randomUUID()],
        seen: new Map(),
        delivered: new Set(),
      };
      const check = async () => {
        await checkAttempts(world);
        await checkDocuments(world);
      };
      for (const atOnce of happened) {
        await Promise.all(atOnce.map((one) => orRefused(perform(world, one))));
        await check();
      }
      await finish(world);
      await check();
    }),
    // A failure is made shorter for so long, then told with its seed.
    { numRuns: 20, interruptAfterTimeLimit: 45_000 },
  );
});
