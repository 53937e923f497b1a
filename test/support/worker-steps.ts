/** What the activities write, by the same functions and in the same transactions, without the parties outside. */
import { randomUUID } from 'node:crypto';
import {
  type Attempt,
  advance,
  endAttempt,
  type Fence,
  holdAttempt,
} from '../../src/db/attempts.ts';
import { makeLive, proveGeneration, storeGeneration } from '../../src/db/generations.ts';
import { markRemoved, reserveOriginalKey, uploadKeys } from '../../src/db/objects.ts';
import {
  adoptableParseJob,
  adoptParseJob,
  endParseJob,
  isAlive,
  openParseJob,
  parseJobOfAttempt,
  recordSubmitted,
} from '../../src/db/parse-jobs.ts';
import { inTransaction, type Pool, type Queryable } from '../../src/db/pool.ts';
import { recordParsed, recordVerified } from '../../src/db/versions.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { ParseJobId } from '../../src/domain/ids.ts';
import { endedBy, isTerminal, type Status, stageOf, statuses } from '../../src/domain/ingestion.ts';
import { chunksOf, embedMissing, generationOf } from './library.ts';
import { wordEmbedder } from './word-embedder.ts';

const embedder = wordEmbedder(384);
const options = 'options';

interface Step {
  /** The status from which on a run takes this step, for the first time or again. */
  readonly from: Status;
  take(pool: Pool, fence: Fence): Promise<void>;
}

const hold = <Result>(
  pool: Pool,
  fence: Fence,
  work: (transaction: Queryable, attempt: Attempt) => Promise<Result>,
) =>
  inTransaction(pool, async (transaction) =>
    work(transaction, await holdAttempt(transaction, fence)),
  );

const generationFor = ({ documentId, ownerId, id, version }: Attempt) =>
  generationOf(
    { id: documentId, ownerId, versionId: version.id, attemptId: id, name: '' },
    embedder,
  );

async function chooseJob(transaction: Queryable, attempt: Attempt): Promise<ParseJobId> {
  const { id: attemptId, documentId, ownerId, version } = attempt;
  const own = await parseJobOfAttempt(transaction, attemptId);
  if (own && isAlive(own)) return own.id;
  const earlier = own ? undefined : await adoptableParseJob(transaction, version.id, options);
  if (!earlier) {
    const job = { documentId, ownerId, versionId: version.id, attemptId };
    return (await openParseJob(transaction, { ...job, optionsFingerprint: options })).id;
  }
  await adoptParseJob(transaction, attemptId, earlier.id);
  return earlier.id;
}

/** In the order in which a run takes them. */
export const steps = {
  verify: {
    from: 'awaiting_upload',
    take: (pool, fence) =>
      hold(pool, fence, async (transaction, held) => {
        if (held.status !== 'awaiting_upload') return;
        const place = { ...held, attemptId: held.id };
        const key = await reserveOriginalKey(transaction, place);
        await recordVerified(transaction, held.version, key);
        await markRemoved(transaction, await uploadKeys(transaction, held.documentId));
        await advance(transaction, held, ['uploaded']);
      }),
  },
  submit: {
    from: 'uploaded',
    take: async (pool, fence) => {
      const job = await hold(pool, fence, chooseJob);
      const provider = { providerJobId: `pjb-${job}`, providerFileId: undefined };
      await recordSubmitted(pool, job, provider);
      await hold(pool, fence, (transaction, held) => advance(transaction, held, ['parse_queued']));
    },
  },
  collect: {
    from: 'parse_queued',
    take: (pool, fence) =>
      hold(pool, fence, async (transaction, held) => {
        const job = await parseJobOfAttempt(transaction, held.id);
        if (job && !held.version.markdownSha256) {
          const sha256 = generationFor(held).markdownSha256;
          await recordParsed(transaction, held.version.id, {
            key: `parsed/${sha256}`,
            sha256,
            bytes: 1,
            pageCount: 1,
            pageOffsets: [0],
            failedPages: [],
            parsedBy: job.id,
          });
          await endParseJob(transaction, job.id, { state: 'completed' });
        }
        await advance(transaction, held, ['parsed', 'parse_validated', 'chunking']);
      }),
  },
  chunk: {
    from: 'chunking',
    take: (pool, fence) =>
      hold(pool, fence, async (transaction, held) => {
        await storeGeneration(transaction, generationFor(held), chunksOf(['One.', 'Another.']));
        await advance(transaction, held, ['chunks_stored']);
      }),
  },
  embed: {
    from: 'chunks_stored',
    take: async (pool, fence) => {
      const held = await hold(pool, fence, (transaction, attempt) =>
        advance(transaction, attempt, ['embedding_queued', 'embedding_in_progress']),
      );
      await embedMissing(pool, generationFor(held), embedder);
    },
  },
  complete: {
    from: 'embedding_in_progress',
    take: (pool, fence) =>
      hold(pool, fence, async (transaction, held) => {
        if (held.status === 'complete') return;
        const generation = generationFor(held);
        const embedded = await advance(transaction, held, ['embeddings_stored']);
        await proveGeneration(transaction, generation.id);
        await makeLive(transaction, held.documentId, generation.id);
        await advance(transaction, embedded, ['complete']);
      }),
  },
} as const satisfies Record<string, Step>;

/** Whether a run at this status takes the step, for the first time or again. */
export function isDue({ from }: Step, status: Status): boolean {
  return statuses.indexOf(status) >= statuses.indexOf(from);
}

/** The row's half of recordOutcome. */
export async function recordEnd(pool: Pool, fence: Fence, code: ErrorCode): Promise<void> {
  await hold(pool, fence, async (transaction, { id, status }) => {
    if (isTerminal(status)) return;
    await endAttempt(transaction, id, {
      status: endedBy(code, status),
      code,
      failedStage: stageOf[status],
    });
  });
}

/** A run that the row does not name. */
export function strayRun(fence: Fence): Fence {
  return { ...fence, runId: randomUUID() };
}
