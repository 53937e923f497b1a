/** The composition root: builds everything once from the configuration, and closes it in reverse. */
import type { ActivityDependencies } from '../activities/dependencies.ts';
import type { ReconciliationDependencies } from '../activities/reconciliation/finding.ts';
import { currentStep } from '../activities/step.ts';
import type { ApiDependencies, DocumentService, OperatorService } from './api/dependencies.ts';
import { acceptUpload } from './api/services/accept-document.ts';
import {
  cancelDocument,
  confirmUpload,
  deleteDocument,
  retryDocument,
} from './api/services/command-document.ts';
import { explainDocument } from './api/services/explain-document.ts';
import { ingestBytes } from './api/services/ingest-bytes.ts';
import {
  cancelAsOperator,
  extendDeadline,
  failDocument,
  findByRuns,
  onTheRoad,
  pollParser,
  retryAsOperator,
} from './api/services/operate-document.ts';
import {
  documentDetail,
  listDocuments,
  openMarkdown,
  openOriginal,
  usage,
} from './api/services/read-documents.ts';
import { createTokenVerifier } from './api/verify-token.ts';
import { createChunkPool } from './chunking/chunk-in-thread.ts';
import { tokenizerName } from './chunking/count-tokens.ts';
import { chunker } from './chunking/split-markdown.ts';
import { type Config, DEVELOPMENT_SECRET_PREFIX } from './config.ts';
import { databaseFingerprint } from './db/fingerprint.ts';
import { requireSchema } from './db/migrate.ts';
import { createPool, type Pool } from './db/pool.ts';
import { type Provider, pauseProvider, takeTurn } from './db/provider-budgets.ts';
import { markDelivered, receiveDelivery } from './db/webhook-deliveries.ts';
import { plannedLooks, searchAttributeNames } from './domain/run.ts';
import { createOpenAiEmbedder } from './embedding/openai-embedder.ts';
import { eventLoopCheck, type HealthCheck } from './observability/health.ts';
import type { Logger } from './observability/logger.ts';
import { createMetrics, grpcStatuses, type Metrics } from './observability/metrics.ts';
import { createLlamaParseParser } from './parsing/llamaparse-parser.ts';
import type { Parser } from './parsing/parser.ts';
import {
  type BudgetLimits,
  createProviderBudget,
  type WithinBudget,
} from './provider-budget/provider-budget.ts';
import { createSearch } from './search/hybrid-search.ts';
import { countAccess } from './storage/count-access.ts';
import type { ObjectStore } from './storage/object-store.ts';
import { withBreaker } from './storage/storage-breaker.ts';
import { SupabaseObjectStore } from './storage/supabase-object-store.ts';
import {
  type ClientSettings,
  createTemporalClient,
  requireSearchAttributes,
  type TemporalClient,
} from './temporal/client.ts';
import { dataConverterOf } from './temporal/data-converter.ts';
import { createRunDesk } from './temporal/run-desk.ts';
import { createRunReadings } from './temporal/run-readings.ts';
import { createRuns, type Runs } from './temporal/runs.ts';
import {
  callbackUrl,
  installationMark,
  keysOf,
  makeCallbackToken,
} from './webhooks/callback-token.ts';
import type { CallOutcome } from './webhooks/routes.ts';

const second = 1000;

/** What API and worker share. */
export interface Shared {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly temporal: TemporalClient;
  readonly runs: Runs;
  readonly objectStore: SupabaseObjectStore;
  close(): Promise<void>;
}

export function buildShared(
  config: Config,
  logger: Logger,
  client: TemporalClient | ClientSettings = {},
): Shared {
  const metrics = createMetrics();
  const temporal =
    'client' in client
      ? client
      : createTemporalClient({
          ...client,
          dataConverter: dataConverterOf(config),
          onFault: (error) =>
            logger.warn({ err: error }, 'the settings of Temporal were not read again'),
          onFailedCall: (status) => countFailedCall(metrics, status),
        });
  const pool = createPool({
    connectionString: config.DATABASE_URL,
    size: config.DATABASE_POOL_SIZE,
    onIdleError: (error) => logger.warn({ err: error }, 'idle database connection lost'),
  });
  const runs = createRuns(temporal.client, {
    taskQueue: config.TASK_QUEUE,
    startDelayMs: config.UPLOAD_START_DELAY_SECONDS * second,
    publicUrl: config.PUBLIC_URL,
    eraseSecondSweepMs: config.ERASE_SECOND_SWEEP_SECONDS * second,
    policy: {
      looksAfterMs: plannedLooks(config.UPLOAD_LIFETIME_SECONDS * second),
      storagePatienceMs: config.STORAGE_PATIENCE_SECONDS * second,
      parserPatienceMs: config.PARSER_PATIENCE_SECONDS * second,
      embedderPatienceMs: config.EMBEDDER_PATIENCE_SECONDS * second,
      parseDeadlineMs: config.PARSE_DEADLINE_SECONDS * second,
      pollFirstMs: config.PARSE_POLL_FIRST_SECONDS * second,
      pollMaxMs: config.PARSE_POLL_MAX_SECONDS * second,
    },
  });
  const objectStore = new SupabaseObjectStore({
    url: config.SUPABASE_URL,
    serviceRoleKey: config.SUPABASE_SERVICE_ROLE_KEY,
    bucket: config.SUPABASE_BUCKET,
  });
  return {
    config,
    logger,
    metrics,
    pool,
    temporal,
    runs,
    objectStore,
    close: async () => {
      await temporal.close();
      await pool.end();
    },
  };
}

function countFailedCall(metrics: Metrics, status: number): void {
  const name = grpcStatuses[status];
  if (name) metrics.count('intake_temporal_request_failures_total', { status_code: name });
}

export function buildActivityDependencies(
  shared: Shared,
  draining: AbortSignal,
): ActivityDependencies & { close(): Promise<void> } {
  const { config, logger, metrics, pool, runs } = shared;
  const tokenKeys = keysOf(config.WEBHOOK_TOKEN_KEY);
  const publicUrl = config.PUBLIC_URL;
  const tokenizer = tokenizerName(config.EMBEDDINGS_TOKENIZER);
  const chunkPool = createChunkPool({
    tokenizer: config.EMBEDDINGS_TOKENIZER,
    maxTokens: config.EMBEDDINGS_MAX_TOKENS,
  });
  return {
    pool,
    logger,
    draining,
    objectStore: buildGuardedStore(shared),
    parser: buildParser(shared),
    runs: buildReconcilingRuns(shared),
    embedder: buildEmbedder(shared),
    chunking: {
      chunker,
      tokenizer,
      maxTokens: config.EMBEDDINGS_MAX_TOKENS,
      split: (markdown, pages, signal) => chunkPool.split(markdown, pages, signal),
    },
    callbackUrl: (parseJobId) =>
      publicUrl && callbackUrl(publicUrl, makeCallbackToken(parseJobId, tokenKeys)),
    openRunId: (documentId) => runs.openRunId(documentId),
    wasWorkerLost: async (activity) => {
      const lost = await runs.wasWorkerLost(activity);
      if (lost) metrics.count('intake_races_total', { kind: 'worker_lost' });
      return lost;
    },
    limits: {
      maxFileBytes: config.MAX_FILE_BYTES,
      maxPages: config.MAX_PAGES,
      maxMarkdownBytes: config.MAX_MARKDOWN_BYTES,
      maxFailedPagesPercent: config.PARSE_MAX_FAILED_PAGES_PERCENT,
    },
    close: () => chunkPool.close(),
  };
}

/** Round it the breaker, and round both who counts: a call that met the breaker open is an access that failed. */
function buildGuardedStore({ config, logger, metrics, objectStore }: Shared): ObjectStore {
  const guarded = withBreaker(objectStore, {
    halfOpenAfterMs: config.STORAGE_BREAKER_SECONDS * second,
    onStateChange: (state) => {
      logger.warn({ breaker: 'blob-reads', state }, 'circuit breaker');
      metrics.count('intake_circuit_breaker_transitions_total', { state });
      metrics.set('intake_circuit_breaker_open', {}, letsThrough[state]);
    },
  });
  metrics.set('intake_circuit_breaker_open', {}, letsThrough.closed);
  return countAccess(guarded, (outcome) =>
    metrics.count('intake_file_access_total', { stage: currentStep(), outcome }),
  );
}

const letsThrough = { closed: 0, 'half-open': 0.5, open: 1 } as const;

/** What `intake reconcile` works with, where neither API nor worker need to run. */
export function buildReconciliation(shared: Shared): ReconciliationDependencies {
  const { logger, pool, objectStore } = shared;
  return {
    pool,
    logger,
    objectStore,
    parser: buildParser(shared),
    runs: buildReconcilingRuns(shared),
  };
}

function buildReconcilingRuns({ config, runs, temporal }: Shared) {
  return { ...runs, ...createRunReadings(temporal.client, config.TASK_QUEUE) };
}

function buildParser({ config, pool }: Shared): Parser {
  const [signingSecret] = keysOf(config.WEBHOOK_SIGNING_SECRET);
  const [key, ...older] = keysOf(config.WEBHOOK_TOKEN_KEY);
  return createLlamaParseParser({
    apiKey: config.LLAMA_CLOUD_API_KEY,
    baseUrl: config.LLAMA_CLOUD_BASE_URL,
    tier: config.LLAMA_PARSE_TIER,
    version: config.LLAMA_PARSE_VERSION,
    maxPages: config.MAX_PAGES,
    maxFailedPagesPercent: config.PARSE_MAX_FAILED_PAGES_PERCENT,
    signingSecret,
    installations: [installationMark(key), ...older.map(installationMark)],
    withinBudget: budgetOf(pool, 'parser', {
      callsPerSecond: config.PARSER_CALLS_PER_SECOND,
      burst: config.PARSER_CALLS_BURST,
      atOnce: config.PARSER_CALLS_AT_ONCE,
      refusedAs: 'LLAMAPARSE_RATE_LIMIT_ERROR',
    }),
  });
}

export function buildApiDependencies(shared: Shared): ApiDependencies {
  const { config, logger, pool } = shared;
  const search = createSearch({
    pool,
    embedder: buildEmbedder(shared),
    vectorIndexFromChunks: config.VECTOR_INDEX_FROM_CHUNKS,
  });
  return {
    logger,
    metrics: shared.metrics,
    verifyToken: createTokenVerifier({
      issuer: config.SUPABASE_JWT_ISSUER ?? `${config.SUPABASE_URL.replace(/\/$/, '')}/auth/v1`,
      sharedSecret: config.SUPABASE_JWT_SECRET,
      jwksUrl: config.SUPABASE_JWKS_URL,
    }),
    settings: {
      maxFileBytes: config.MAX_FILE_BYTES,
      maxRequestsPerMinute: config.MAX_REQUESTS_PER_MINUTE,
      storageOrigin: new URL(config.SUPABASE_URL).origin,
      loopbackOnly: config.SUPABASE_JWT_SECRET?.startsWith(DEVELOPMENT_SECRET_PREFIX) ?? false,
    },
    ...services(shared),
    search,
    webhooks: {
      tokenKeys: keysOf(config.WEBHOOK_TOKEN_KEY),
      signingSecrets: keysOf(config.WEBHOOK_SIGNING_SECRET),
      countEvent: (outcome) => countWebhook(shared.metrics, outcome),
      deliveries: {
        receive: (delivery) => receiveDelivery(pool, delivery),
        markDelivered: (eventId) => markDelivered(pool, eventId),
      },
      signalParseEvent: shared.runs.signalParseEvent,
    },
    liveness: [eventLoopCheck()],
    readiness: readinessChecks(shared),
    databaseFingerprint: () => databaseFingerprint(pool),
  };
}

const webhookRaces = { duplicate: 'webhook_doubled', closed: 'webhook_late' } as const;

function countWebhook(metrics: Metrics, outcome: CallOutcome): void {
  metrics.count('intake_webhook_events_total', { outcome });
  if (outcome === 'duplicate' || outcome === 'closed')
    metrics.count('intake_races_total', { kind: webhookRaces[outcome] });
}

function services(shared: Shared): {
  readonly documents: DocumentService;
  readonly operators: OperatorService;
} {
  const { config, temporal } = shared;
  const accept = {
    ...shared,
    settings: {
      maxFileBytes: config.MAX_FILE_BYTES,
      maxUnfinishedUploads: config.MAX_UNFINISHED_UPLOADS,
      maxReservedBytes: config.MAX_RESERVED_BYTES,
      uploadLifetimeMs: config.UPLOAD_LIFETIME_SECONDS * second,
      uploadUrlLifetimeMs: config.UPLOAD_URL_LIFETIME_SECONDS * second,
    },
  };
  const uiUrl = config.TEMPORAL_UI_URL;
  const desk = createRunDesk(temporal.client, config.TASK_QUEUE);
  const runLinks = uiUrl === undefined ? undefined : { uiUrl, namespace: temporal.namespace };
  const operate = { ...accept, desk, runLinks };
  const read = {
    ...shared,
    desk,
    runLinks,
    settings: {
      ...accept.settings,
      maxMarkdownBytes: config.MAX_MARKDOWN_BYTES,
      maxPages: config.MAX_PAGES,
    },
  };
  const documents: DocumentService = {
    acceptUpload: (caller, declaration) => acceptUpload(accept, caller, declaration),
    confirmUpload: (caller, id) => confirmUpload(accept, caller, id),
    ingestBytes: (caller, file) => ingestBytes(accept, caller, file),
    listDocuments: (caller, filter) => listDocuments(read, caller, filter),
    documentDetail: (caller, id) => documentDetail(read, caller, id),
    explainDocument: (caller, id) => explainDocument(read, caller, id),
    retryDocument: (caller, id) => retryDocument(accept, caller, id),
    cancelDocument: (caller, id) => cancelDocument(accept, caller, id),
    deleteDocument: (caller, id) => deleteDocument(accept, caller, id),
    openOriginal: (caller, id) => openOriginal(read, caller, id),
    openMarkdown: (caller, id) => openMarkdown(read, caller, id),
    usage: (caller) => usage(read, caller),
  };
  const operators: OperatorService = {
    onTheRoad: (page) => onTheRoad(operate, page),
    findByRuns: (query, page) => findByRuns(operate, query, page),
    pollParser: (caller, documentId, asked) => pollParser(operate, { caller, documentId, asked }),
    extendDeadline: (caller, documentId, asked) =>
      extendDeadline(operate, { caller, documentId, asked }),
    failDocument: (caller, documentId, asked) =>
      failDocument(operate, { caller, documentId, asked }),
    retryDocument: (caller, documentId, asked) =>
      retryAsOperator(operate, { caller, documentId, asked }),
    cancelDocument: (caller, documentId, asked) =>
      cancelAsOperator(operate, { caller, documentId, asked }),
  };
  return { documents, operators };
}

/** Questions share the documents' budget. */
function buildEmbedder({ config, metrics, pool }: Shared) {
  return createOpenAiEmbedder({
    baseUrl: config.EMBEDDINGS_URL,
    apiKey: config.EMBEDDINGS_API_KEY,
    model: config.EMBEDDINGS_MODEL,
    dimensions: config.EMBEDDINGS_DIMENSIONS,
    batchSize: config.EMBEDDINGS_BATCH_SIZE,
    onTokens: (tokens) => metrics.count('intake_embedding_tokens_total', {}, tokens),
    withinBudget: budgetOf(pool, 'embedder', {
      callsPerSecond: config.EMBEDDER_CALLS_PER_SECOND,
      burst: config.EMBEDDER_CALLS_BURST,
      atOnce: config.EMBEDDER_CALLS_AT_ONCE,
      refusedAs: 'EMBEDDER_RATE_LIMITED',
    }),
  });
}

function budgetOf(pool: Pool, provider: Provider, limits: BudgetLimits): WithinBudget {
  return createProviderBudget(
    {
      takeTurn: (request) => takeTurn(pool, provider, request),
      pause: (ms) => pauseProvider(pool, provider, ms),
    },
    limits,
  );
}

/** What neither API nor worker can do without. */
export function readinessChecks({ pool, temporal }: Shared): readonly HealthCheck[] {
  return [
    { name: 'database', check: () => requireSchema(pool) },
    {
      name: 'temporal',
      check: async () => {
        await requireSearchAttributes(temporal, Object.values(searchAttributeNames));
      },
    },
  ];
}
