/** The API over a document service that a test scripts: requests are injected, no port is opened. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type {
  ApiDependencies,
  ApiSettings,
  DocumentDetail,
  DocumentService,
  ExplanationFacts,
  OperatorService,
} from '../../src/api/dependencies.ts';
import { buildServer } from '../../src/api/server.ts';
import { createTokenVerifier } from '../../src/api/verify-token.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import { type DocumentId, type OwnerId, parseId, type UuidBrand } from '../../src/domain/ids.ts';
import { correlationFields } from '../../src/observability/correlation.ts';
import { createMetrics } from '../../src/observability/metrics.ts';

export const issuer = 'https://project.supabase.test/auth/v1';
export const jwtSecret = 'a-shared-secret-that-is-long-enough-for-hs256';

/** An access token as Supabase makes it; `claims` and `header` change it. */
export function signToken(
  ownerId: string,
  claims: Readonly<Record<string, unknown>> = {},
  secret: string = jwtSecret,
): Promise<string> {
  const expiresAt = Math.floor(Date.now() / 1000) + 3600;
  return new SignJWT({
    iss: issuer,
    aud: 'authenticated',
    role: 'authenticated',
    sub: ownerId,
    exp: expiresAt,
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret));
}

export function newOwner(): OwnerId {
  return idOf<OwnerId>(randomUUID());
}

export function newDocumentId(): DocumentId {
  return idOf<DocumentId>(randomUUID());
}

export function idOf<Id extends UuidBrand>(uuid: string): Id {
  const id = parseId<Id>(uuid);
  if (id === undefined) throw new TypeError('no UUID');
  return id;
}

export function documentOf(documentId: DocumentId, facts: Partial<DocumentDetail> = {}) {
  const at = new Date('2026-11-20T10:00:00Z');
  return {
    documentId,
    name: 'plan.pdf',
    mediaType: 'application/pdf',
    sizeBytes: 1782,
    status: 'parse_queued',
    failedStage: undefined,
    errorCode: undefined,
    waiting: undefined,
    confirmedAt: undefined,
    searchable: false,
    createdAt: at,
    updatedAt: at,
    endedAt: undefined,
    temporalRunUrl: undefined,
    sha256: 'a'.repeat(64),
    correlationId: randomUUID(),
    pages: undefined,
    failedPages: [],
    chunks: undefined,
    attempts: [],
    timeline: [],
    ...facts,
  } satisfies DocumentDetail;
}

export function explanationOf(documentId: DocumentId, facts: Partial<ExplanationFacts> = {}) {
  return {
    documentId,
    status: 'parse_queued',
    stage: 'collect',
    since: new Date('2026-11-20T10:00:00Z'),
    attempt: 1,
    words: undefined,
    tries: undefined,
    lastError: undefined,
    nextTryAt: undefined,
    deadlineAt: undefined,
    line: undefined,
    turn: undefined,
    buttons: [],
    run: { state: 'open', workerAnswers: true, url: undefined },
    ...facts,
  } satisfies ExplanationFacts;
}

/** The claim that tells an operator's token from everybody else's. */
const operatorClaims = { app_metadata: { intake_role: 'operator' } };

export interface ApiOptions {
  /** Who asks is an operator. */
  readonly operator?: boolean;
  readonly documents?: Partial<DocumentService>;
  readonly operators?: Partial<OperatorService>;
  readonly settings?: Partial<ApiSettings>;
  readonly dependencies?: Partial<ApiDependencies>;
  /** Routes of the test itself. */
  readonly extend?: (app: FastifyInstance) => void;
}

export interface ApiUnderTest {
  readonly app: FastifyInstance;
  readonly ownerId: OwnerId;
  readonly token: string;
  /** Injects as the owner. */
  request(options: InjectOptions): Promise<LightMyRequestResponse>;
  /** Injects without a token. */
  anonymously(options: InjectOptions): Promise<LightMyRequestResponse>;
  /** What was logged, one line each. */
  readonly logs: string[];
}

export async function apiUnderTest(options: ApiOptions = {}): Promise<ApiUnderTest> {
  const logs: string[] = [];
  const ownerId = newOwner();
  const app = buildServer({
    logger: pino(
      { level: 'debug', mixin: correlationFields },
      { write: (line) => logs.push(line) },
    ),
    verifyToken: createTokenVerifier({ issuer, sharedSecret: jwtSecret, jwksUrl: undefined }),
    settings: {
      maxFileBytes: 1_000_000,
      maxRequestsPerMinute: 1000,
      storageOrigin: 'https://project.supabase.test',
      loopbackOnly: false,
      ...options.settings,
    },
    metrics: createMetrics(),
    documents: { ...nothingThere, ...options.documents },
    operators: { ...nobodyThere, ...options.operators },
    search: async () => [],
    webhooks: {
      tokenKeys: ['token-key'],
      signingSecrets: ['signing-secret'],
      deliveries: {
        receive: async () => undefined,
        markDelivered: async () => {},
      },
      signalParseEvent: async () => 'closed',
      countEvent: () => {},
    },
    liveness: [],
    readiness: [],
    databaseFingerprint: async () => '0123456789ab',
    ...options.dependencies,
  });
  if (options.extend) app.register(async (scope) => options.extend?.(scope));
  onTestFinished(() => app.close());
  await app.ready();
  const token = await signToken(ownerId, options.operator === true ? operatorClaims : {});
  const authorization = `Bearer ${token}`;
  return {
    app,
    token,
    ownerId,
    logs,
    anonymously: (request) => app.inject(request),
    request: (request) =>
      app.inject({ ...request, headers: { authorization, ...request.headers } }),
  };
}

const refuse = async (): Promise<never> => {
  throw new IntakeError('NOT_FOUND');
};

/** An owner without documents. */
const nothingThere: DocumentService = {
  acceptUpload: refuse,
  confirmUpload: refuse,
  ingestBytes: refuse,
  listDocuments: async () => ({ documents: [], next: undefined }),
  documentDetail: refuse,
  explainDocument: refuse,
  retryDocument: refuse,
  cancelDocument: refuse,
  deleteDocument: refuse,
  openOriginal: refuse,
  openMarkdown: refuse,
  usage: async () => ({
    maxPages: 2000,
    maxUnfinishedUploads: 20,
    unfinishedUploads: 0,
    maxReservedBytes: 500_000_000,
    reservedBytes: 0,
  }),
};

const nobodyThere: OperatorService = {
  onTheRoad: async () => ({ documents: [], next: undefined }),
  findByRuns: async () => ({ documents: [], next: undefined }),
  pollParser: refuse,
  extendDeadline: refuse,
  failDocument: refuse,
  retryDocument: refuse,
  cancelDocument: refuse,
};
