/**
 * The twelve invariants, each with the guards that hold it and the tests that watch them. A guard is taken out by
 * replacing its text; where two hold the same thing, both are taken out at once.
 */

/** `with` stands in the place of `text`, which is there exactly once. */
interface Removal {
  readonly file: string;
  readonly text: string;
  readonly with: string;
}

export interface Guard {
  readonly invariant: number;
  readonly name: string;
  readonly remove: readonly Removal[];
  readonly project: 'unit' | 'stack';
  readonly test: string;
  /** Only the tests whose name holds this. */
  readonly only?: string;
}

const migration = 'supabase/migrations/20261124000002_intake.sql';
const moveTrigger: Removal = {
  file: migration,
  text: 'create trigger guard_status_move before update on intake.attempts',
  with: 'create trigger guard_status_move before update of correlation_id on intake.attempts',
};

const upgradeTest = 'test/integration/upgrade.pg.test.ts';

export const guards: readonly Guard[] = [
  {
    invariant: 1,
    name: 'one live document per owner and content',
    remove: [
      {
        file: migration,
        text: 'create unique index documents_one_live',
        with: 'create index documents_one_live',
      },
    ],
    project: 'stack',
    test: 'test/integration/catalogue.pg.test.ts',
  },
  {
    invariant: 1,
    name: 'a switch removes the generation before',
    remove: [
      {
        file: 'src/db/generations.ts',
        text: '    removeSuperseded(transaction, documentId, generationId),\n',
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/generations.pg.test.ts',
  },
  {
    invariant: 2,
    name: 'erasure takes the chunks',
    remove: [
      {
        file: 'src/db/erasure.ts',
        text: 'delete from intake.generations where document_id = $1 and',
        with: 'delete from intake.generations where document_id = $1 and false and',
      },
      {
        file: 'src/db/erasure.ts',
        text: 'delete from intake.versions where document_id = $1 and',
        with: 'delete from intake.versions where document_id = $1 and false and',
      },
    ],
    project: 'stack',
    test: 'test/e2e/erasure.e2e.test.ts',
  },
  {
    invariant: 3,
    name: 'an attempt that has ended refuses writers',
    remove: [
      {
        file: 'src/db/attempts.ts',
        text: "if (isTerminal(row.status) && row.status !== 'complete') {",
        with: "if (row.status === 'deleted') {",
      },
    ],
    project: 'stack',
    test: 'test/integration/attempts.pg.test.ts',
  },
  {
    invariant: 3,
    name: 'an ended attempt refuses work in any order',
    remove: [
      {
        file: 'src/db/attempts.ts',
        text: "if (isTerminal(row.status) && row.status !== 'complete') {",
        with: "if (row.status === 'deleted') {",
      },
    ],
    project: 'stack',
    test: 'test/integration/any-order.pg.test.ts',
  },
  {
    invariant: 3,
    name: 'an ended attempt is not ended again by cancel',
    remove: [
      {
        file: 'src/api/services/command-document.ts',
        text: "    if (isTerminal(document.status)) throw new IntakeError('NOT_POSSIBLE_NOW');\n",
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/after-the-end.pg.test.ts',
  },
  {
    invariant: 3,
    name: 'the parser is told to stop',
    remove: [
      {
        file: 'activities/record-outcome.ts',
        text: '    await stopParsing(dependencies, ref, scope);\n',
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/ends-by-will.pg.test.ts',
    only: 'cancel is final: waiting for the webhook',
  },
  {
    invariant: 4,
    name: 'a tombstone refuses writers',
    remove: [
      {
        file: 'src/db/attempts.ts',
        text: "  if (owner.deleted_at) throw new IntakeError('DOCUMENT_DELETED');\n",
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/attempts.pg.test.ts',
  },
  {
    invariant: 5,
    name: 'a retry looks for the job of an earlier try',
    remove: [
      {
        file: 'activities/submit-parse.ts',
        text: 'job.tries > 1 ? await',
        with: 'job.tries > 1 && job.providerJobId ? await',
      },
    ],
    project: 'stack',
    test: 'test/integration/road.pg.test.ts',
    only: 'the parser',
  },
  {
    invariant: 5,
    name: 'a new attempt starts from what was paid for',
    remove: [
      {
        file: 'src/domain/ingestion.ts',
        text: "  if (!parsed) return 'parse';\n",
        with: "  if (!parsed || failedStage !== 'embed') return 'parse';\n",
      },
    ],
    project: 'stack',
    test: 'test/integration/after-the-end.pg.test.ts',
  },
  {
    invariant: 5,
    name: 'a new attempt passes over nothing that is missing',
    remove: [
      {
        file: 'src/domain/ingestion.ts',
        text: "  if (!verified) return 'verify';\n",
        with: "  if (!verified && !parsed) return 'verify';\n",
      },
    ],
    project: 'unit',
    test: 'test/unit/domain/ingestion.property.test.ts',
  },
  {
    invariant: 5,
    name: 'a try that fell silent does not pay beside its successor',
    remove: [
      {
        file: 'src/parsing/llamaparse-parser.ts',
        text: '      await request.beforeCreate();\n',
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/live-tries.pg.test.ts',
    only: 'submitParse',
  },
  {
    invariant: 6,
    name: 'a look that another has overtaken says nothing',
    remove: [
      {
        file: 'activities/verify-upload.ts',
        text: "return status === 'awaiting_upload';",
        with: "return status !== 'duplicate';",
      },
    ],
    project: 'stack',
    test: 'test/integration/live-tries.pg.test.ts',
    only: 'verify',
  },
  {
    invariant: 6,
    name: 'the database knows the legal moves',
    remove: [moveTrigger],
    project: 'stack',
    test: 'test/integration/attempts.pg.test.ts',
  },
  {
    invariant: 6,
    name: 'a repeated activity passes over what lies behind',
    remove: [
      moveTrigger,
      {
        file: 'src/db/attempts.ts',
        text: 'path.filter((next) => statuses.indexOf(next) > statuses.indexOf(status))',
        with: 'path',
      },
      {
        file: 'src/db/attempts.ts',
        text: 'if (!canMove(status, next)) {',
        with: 'if (next === status && !canMove(status, next)) {',
      },
    ],
    project: 'stack',
    test: 'test/integration/attempts.pg.test.ts',
  },
  {
    invariant: 6,
    name: 'a run that the row does not name writes nothing',
    remove: [
      {
        file: 'src/db/attempts.ts',
        text: 'else if (row.run_id !== fence.runId)',
        with: "else if (row.run_id === '')",
      },
    ],
    project: 'stack',
    test: 'test/integration/any-order.pg.test.ts',
  },
  {
    invariant: 6,
    name: 'an event that was delivered is not signalled again',
    remove: [
      {
        file: 'src/webhooks/handle-event.ts',
        text: "  if (receipt.delivered) return 'duplicate';\n",
        with: '',
      },
    ],
    project: 'unit',
    test: 'test/unit/webhooks/routes.test.ts',
  },
  {
    invariant: 7,
    name: 'the outcome is written before the run closes',
    remove: [
      {
        file: 'workflows/ingest-document.ts',
        text: '    activities.recordOutcome({ ...ref, code, ...(asked && { asked }) }),\n',
        with: '    Promise.resolve<Awaited<ReturnType<Tools["activities"]["recordOutcome"]>>>(undefined),\n',
      },
    ],
    project: 'stack',
    test: 'test/workflows/ingest-document.workflow.test.ts',
    only: 'how a run closes',
  },
  {
    invariant: 8,
    name: 'the wait for the parser has a deadline',
    remove: [
      {
        file: 'workflows/await-parse.ts',
        text: "if (leftMs <= 0) throw failWith('PARSE_TIMEOUT', { cause: lastError });",
        with: '',
      },
      {
        file: 'workflows/await-parse.ts',
        text: 'Math.min(intervalMs, leftMs)',
        with: 'intervalMs',
      },
    ],
    project: 'stack',
    test: 'test/workflows/ingest-document.workflow.test.ts',
    only: 'the wait for the parser',
  },
  {
    invariant: 8,
    name: 'patience ends',
    remove: [
      {
        file: 'workflows/activity-options.ts',
        text: '    scheduleToCloseTimeout: patienceMs,\n',
        with: '    scheduleToCloseTimeout: patienceMs * 10_000,\n',
      },
    ],
    project: 'stack',
    test: 'test/workflows/ingest-document.workflow.test.ts',
    only: 'storage out of order for longer',
  },
  {
    invariant: 9,
    name: 'a command asks for the owner',
    remove: [
      {
        file: 'src/db/documents.ts',
        text: 'where id = $1 and owner_id = $2 and deleted_at is null for no key update`',
        with: 'where id = $1 and $2::uuid is not null and deleted_at is null for no key update`',
      },
    ],
    project: 'stack',
    test: 'test/integration/accept-document.pg.test.ts',
    only: 'commands',
  },
  {
    invariant: 9,
    name: 'reads run as the caller',
    remove: [
      {
        file: 'src/db/pool.ts',
        text: "set_config('role', 'authenticated', true)",
        with: "set_config('role', current_user, true)",
      },
    ],
    project: 'stack',
    test: 'test/integration/search.pg.test.ts',
    only: 'asOwner',
  },
  {
    invariant: 9,
    name: 'a token is believed for its signature',
    remove: [
      {
        file: 'src/webhooks/callback-token.ts',
        text: 'bytes.length === expected.length && timingSafeEqual(bytes, expected)',
        with: 'bytes.length === expected.length',
      },
    ],
    project: 'unit',
    test: 'test/unit/webhooks/callback-token.property.test.ts',
  },
  {
    invariant: 9,
    name: 'operators’ routes are for operators',
    remove: [
      { file: 'src/api/routes/operators.ts', text: '    forOperatorsOnly(app);\n', with: '' },
    ],
    project: 'unit',
    test: 'test/unit/api/operators.test.ts',
  },
  {
    invariant: 9,
    name: 'nobody makes an operator of oneself',
    remove: [
      {
        file: 'src/api/verify-token.ts',
        text: "result.payload['app_metadata']",
        with: "result.payload['user_metadata']",
      },
    ],
    project: 'unit',
    test: 'test/unit/api/verify-token.test.ts',
  },
  {
    invariant: 9,
    name: 'an explanation is of what is one’s own',
    remove: [
      {
        file: 'src/api/services/explain-document.ts',
        text: 'return operator === true\n',
        with: 'return operator !== undefined\n',
      },
    ],
    project: 'stack',
    test: 'test/integration/operators.pg.test.ts',
    only: 'who may',
  },
  {
    invariant: 8,
    name: 'no update is sent into a start delay',
    remove: [
      {
        file: 'src/db/attempts.ts',
        text: "(a.run_id is not null and (a.status <> 'awaiting_upload' or a.looks > 0))",
        with: '(a.run_id is not null)',
      },
      {
        file: 'src/temporal/run-desk.ts',
        text: "if (historyLength < EVENTS_OF_A_FIRST_TASK) return 'delayed';",
        with: "if (historyLength < 0) return 'delayed';",
      },
    ],
    project: 'stack',
    test: 'test/integration/operators.pg.test.ts',
    only: 'a run in its start delay',
  },
  {
    invariant: 10,
    name: 'a request is logged by its route, never by its URL',
    remove: [
      {
        file: 'src/api/request-log.ts',
        text: "request.routeOptions.url ?? 'unknown'",
        with: 'request.url',
      },
    ],
    project: 'stack',
    test: 'test/integration/privacy.pg.test.ts',
  },
  {
    invariant: 10,
    name: 'a span bears the pattern of its route',
    remove: [
      {
        file: 'src/api/request-log.ts',
        text: '`${method} ${route}`',
        with: '`${method} ${request.url}`',
      },
    ],
    project: 'stack',
    test: 'test/integration/privacy.pg.test.ts',
  },
  {
    invariant: 11,
    name: 'read-back proof',
    remove: [
      {
        file: 'src/db/generations.ts',
        text: 'if (found !== samples.length) throw unproven({ samples: samples.length, found });',
        with: '',
      },
      {
        file: 'src/db/generations.ts',
        text: 'if (!whole) throw',
        with: 'if (!whole && counts.chunks < 0) throw',
      },
    ],
    project: 'stack',
    test: 'test/integration/generations.pg.test.ts',
  },
  {
    invariant: 12,
    name: 'the outbox sweep starts what was committed',
    remove: [
      {
        file: 'src/api/services/outbox-sweep.ts',
        text: '      if (!(await startAttempt(pool, runs, lost))) return;\n',
        with: '      if (lost.attemptId) return;\n',
      },
    ],
    project: 'stack',
    test: 'test/integration/accept-document.pg.test.ts',
    only: 'what is lost between commit and Temporal',
  },
  {
    invariant: 5,
    name: 'reconciliation leaves a job to who listens to it',
    remove: [
      {
        file: 'src/db/reconciliation.ts',
        text: 'and (a.ended_at is null or a.ended_at > $2))',
        with: 'and a.ended_at > $2)',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'parse jobs',
  },
  {
    invariant: 5,
    name: 'a create that came too late is found',
    remove: [
      {
        file: 'activities/reconciliation/parse-jobs.ts',
        text: "standing === 'needed'",
        with: 'standing !== undefined',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'parse jobs',
  },
  {
    invariant: 4,
    name: 'a deletion that the database has forgotten takes the content along',
    remove: [
      {
        file: 'activities/reconciliation/deletions.ts',
        text: '    await eraseContent(transaction, deletion.documentId);\n',
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'takes the chunks along',
  },
  {
    invariant: 4,
    name: 'a younger document under the id of a deleted one stays',
    remove: [
      {
        file: 'activities/reconciliation/deletions.ts',
        text: '      if (standing && standing.createdAt >= deletedAt) continue;\n',
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'deletion',
  },
  {
    invariant: 12,
    name: 'an object whose key is just written down stays',
    remove: [
      {
        file: 'activities/reconciliation/objects.ts',
        text: '    await lockDocument(transaction, documentId);\n',
        with: '',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'being written down',
  },
  {
    invariant: 12,
    name: 'the bytes of a run without a row are kept for the row',
    remove: [
      {
        file: 'activities/reconciliation/objects.ts',
        text: 'run !== undefined && run.closedAt === undefined && !scene.afterRestore',
        with: 'scene.signal.aborted && run !== undefined',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'does nothing and says why',
  },
  {
    invariant: 12,
    name: 'a run without a row is only reported',
    remove: [
      {
        file: 'activities/reconciliation/runs.ts',
        text: "(kind === 'run-without-row' && !scene.afterRestore)",
        with: 'scene.signal.aborted',
      },
    ],
    project: 'stack',
    test: 'test/integration/reconcile.pg.test.ts',
    only: 'is reported; only',
  },
  {
    invariant: 12,
    name: 'files that are not there do not open the circuit breaker',
    remove: [
      {
        file: 'src/storage/storage-breaker.ts',
        text: "(error.code === 'STORAGE_UNAVAILABLE' || error.code === 'STORAGE_FORBIDDEN')",
        with: "error.code.startsWith('STORAGE_')",
      },
    ],
    project: 'stack',
    test: 'test/integration/breaker-storm.pg.test.ts',
    only: 'files that are not there',
  },
  {
    invariant: 9,
    name: 'copied text is not taken over for whoever declared its hash',
    remove: [
      {
        file: 'src/upgrade/fate.ts',
        text: 'if (isCopied(document)) return',
        with: "if (document.name === '') return",
      },
    ],
    project: 'stack',
    test: upgradeTest,
  },
  {
    invariant: 11,
    name: 'an original document without its vectors is not taken for complete',
    remove: [
      {
        file: 'src/upgrade/fate.ts',
        text: "if (status === 'complete' && !isWhole)",
        with: "if (document.name === '')",
      },
    ],
    project: 'stack',
    test: upgradeTest,
  },
  {
    invariant: 12,
    name: 'the original is held against writers',
    remove: [{ file: 'src/db/original.ts', text: ' in share mode', with: ' in access share mode' }],
    project: 'stack',
    test: upgradeTest,
  },
  {
    invariant: 12,
    name: 'what the original wrote stays for its roll-back',
    remove: [
      {
        file: 'src/db/objects.ts',
        text: 'return rows.filter(({ inherited }) => !inherited).map',
        with: 'return rows.map',
      },
    ],
    project: 'stack',
    test: upgradeTest,
  },
  {
    invariant: 4,
    name: 'a deletion reaches the original tables',
    remove: [
      {
        file: 'activities/erase-document.ts',
        text: '    await eraseFromOriginal(transaction, documentId);\n',
        with: '',
      },
    ],
    project: 'stack',
    test: upgradeTest,
  },
];
