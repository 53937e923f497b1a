/** What the API needs from the rest of Intake. Functions throw `IntakeError` only; what is not the caller's is `NOT_FOUND`. */
import type { Readable } from 'node:stream';
import type { Declaration } from '../db/documents.ts';
import type { ErrorCode, Turn } from '../domain/errors.ts';
import type { DocumentId, OwnerId } from '../domain/ids.ts';
import type { Stage, Status } from '../domain/ingestion.ts';
import type { MediaType } from '../domain/media-types.ts';
import type {
  Asked,
  Button,
  ExtendRequest,
  FailRequest,
  OperatorAnswer,
} from '../domain/operators.ts';
import type { HealthCheck } from '../observability/health.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Search } from '../search/hybrid-search.ts';
import type { WebhookDependencies } from '../webhooks/routes.ts';
import type { VerifyToken } from './verify-token.ts';

export interface ApiDependencies {
  readonly logger: Logger;
  readonly verifyToken: VerifyToken;
  readonly settings: ApiSettings;
  readonly documents: DocumentService;
  readonly operators: OperatorService;
  readonly search: Search;
  readonly webhooks: WebhookDependencies;
  readonly metrics: Pick<Metrics, 'observe'>;
  readonly liveness: readonly HealthCheck[];
  readonly readiness: readonly HealthCheck[];
  readonly databaseFingerprint: () => Promise<string>;
}

export interface ApiSettings {
  readonly maxFileBytes: number;
  readonly maxRequestsPerMinute: number;
  /** Where the browser puts the bytes: the page may connect to it. */
  readonly storageOrigin: string;
  /** A development user exists: refuse foreign Host and Origin. */
  readonly loopbackOnly: boolean;
}

export interface Caller {
  readonly ownerId: OwnerId;
  readonly correlationId: string;
  /** One of those who run Intake; everybody else sees what is theirs. */
  readonly operator?: boolean;
}

/** A file that comes in the request itself. */
export interface IncomingFile {
  readonly name: string;
  readonly mediaType: MediaType;
  /** Claims, checked when given. */
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
  /** Ends in `DOCUMENT_TOO_LARGE` beyond the limit, in `INVALID_REQUEST` when the caller goes away. */
  readonly content: Readable;
}

export interface AcceptedDocument {
  readonly documentId: DocumentId;
  readonly status: Status;
  /** A new attempt was made; otherwise the caller joined what was there. */
  readonly created: boolean;
}

export interface AcceptedUpload extends AcceptedDocument {
  /** Absent when the bytes are here already. */
  readonly upload:
    | { readonly url: string; readonly urlExpiresAt: Date; readonly expiresAt: Date }
    | undefined;
}

export interface CommandedDocument {
  readonly documentId: DocumentId;
  readonly status: Status;
}

export interface DocumentFilter {
  readonly status: Status | undefined;
  /** Only what is on its road. */
  readonly unfinished?: boolean | undefined;
  readonly limit: number;
  /** Last document of the page before. */
  readonly after: DocumentId | undefined;
  /** How the ids begin. */
  readonly idPrefix: string | undefined;
}

/** Facts; the API finds the words. */
export interface DocumentFacts {
  readonly documentId: DocumentId;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly status: Status;
  readonly failedStage: Stage | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly waiting:
    | {
        readonly code: ErrorCode;
        readonly since: Date;
        readonly nextTryAt: Date | undefined;
        readonly deadlineAt: Date | undefined;
      }
    | undefined;
  /** When its sender said that the bytes of this attempt are there. */
  readonly confirmedAt: Date | undefined;
  /** It has a live generation, of this version or an earlier one. */
  readonly searchable: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | undefined;
  readonly temporalRunUrl: string | undefined;
}

export interface AttemptFacts {
  readonly number: number;
  readonly status: Status;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly errorCode: ErrorCode | undefined;
}

export interface TimelineEvent {
  readonly at: Date;
  /** Number of the attempt. */
  readonly attempt: number;
  readonly kind: 'status' | 'wait' | 'race' | 'command';
  readonly status: Status | undefined;
  readonly code: ErrorCode | undefined;
  /** What was asked for: cancel, retry, delete, poll, extend, fail. */
  readonly command: string | undefined;
  /** Who asked, and whether that is only what they said of themselves. */
  readonly actor?: string | undefined;
  readonly selfDeclared?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface DocumentDetail extends DocumentFacts {
  readonly sha256: string;
  readonly correlationId: string;
  readonly pages: number | undefined;
  readonly failedPages: readonly number[];
  readonly chunks: number | undefined;
  readonly attempts: readonly AttemptFacts[];
  readonly timeline: readonly TimelineEvent[];
}

export interface DocumentPage {
  readonly documents: readonly DocumentFacts[];
  /** Where the next page starts; `undefined` on the last. */
  readonly next: DocumentId | undefined;
}

export interface StoredFile {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly content: Readable;
}

export interface Usage {
  readonly maxPages: number;
  readonly maxUnfinishedUploads: number;
  readonly unfinishedUploads: number;
  readonly maxReservedBytes: number;
  readonly reservedBytes: number;
}

/** Why a document stands where it stands. No name: an operator may ask this of anybody's document. */
export interface ExplanationFacts {
  readonly documentId: DocumentId;
  readonly status: Status;
  readonly stage: Stage | undefined;
  readonly since: Date;
  readonly attempt: number;
  /** In the words of the run, when a worker answers for it. */
  readonly words: string | undefined;
  readonly tries: { readonly number: number; readonly most: number | undefined } | undefined;
  readonly lastError: { readonly code: ErrorCode; readonly at: Date | undefined } | undefined;
  readonly nextTryAt: Date | undefined;
  readonly deadlineAt: Date | undefined;
  /** Among all documents with this status, by when they came to it. */
  readonly line: { readonly ahead: number; readonly total: number } | undefined;
  readonly turn: Turn | undefined;
  /** The first is the one to press. */
  readonly buttons: readonly Button[];
  readonly run: {
    readonly state: 'not started' | 'delayed' | 'open' | 'closed' | 'unknown';
    readonly workerAnswers: boolean | undefined;
    readonly url: string | undefined;
  };
}

/** A document as operators see it who do not own it: no name, no size, no hash. */
export interface OperatedDocument {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly status: Status;
  readonly failedStage: Stage | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly waitingCode: ErrorCode | undefined;
  readonly mayRetry: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly temporalRunUrl: string | undefined;
}

export interface OperatedPage {
  readonly documents: readonly OperatedDocument[];
  /** Where the next page starts; `undefined` on the last. */
  readonly next: string | undefined;
}

export interface OperatedAnswer extends CommandedDocument, OperatorAnswer {}

/** For the people who run Intake, over everybody's documents. */
export interface OperatorService {
  /** What is on its road, oldest first. */
  onTheRoad(page: PageOfIds): Promise<OperatedPage>;
  /** Documents whose present run is found by a query of Temporal's visibility. */
  findByRuns(query: string, page: PageOfRuns): Promise<OperatedPage>;
  pollParser(caller: Caller, documentId: DocumentId, asked: Asked): Promise<OperatedAnswer>;
  extendDeadline(
    caller: Caller,
    documentId: DocumentId,
    asked: ExtendRequest,
  ): Promise<OperatedAnswer>;
  failDocument(caller: Caller, documentId: DocumentId, asked: FailRequest): Promise<OperatedAnswer>;
  retryDocument(caller: Caller, documentId: DocumentId, asked: Asked): Promise<CommandedDocument>;
  cancelDocument(caller: Caller, documentId: DocumentId, asked: Asked): Promise<CommandedDocument>;
}

export interface PageOfIds {
  readonly limit: number;
  readonly after: DocumentId | undefined;
}

export interface PageOfRuns {
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface DocumentService {
  acceptUpload(caller: Caller, declaration: Declaration): Promise<AcceptedUpload>;
  confirmUpload(caller: Caller, documentId: DocumentId): Promise<CommandedDocument>;
  ingestBytes(caller: Caller, file: IncomingFile): Promise<AcceptedDocument>;
  listDocuments(caller: Caller, filter: DocumentFilter): Promise<DocumentPage>;
  documentDetail(caller: Caller, documentId: DocumentId): Promise<DocumentDetail>;
  /** One's own, or as an operator anybody's. */
  explainDocument(caller: Caller, documentId: DocumentId): Promise<ExplanationFacts>;
  retryDocument(caller: Caller, documentId: DocumentId): Promise<CommandedDocument>;
  cancelDocument(caller: Caller, documentId: DocumentId): Promise<CommandedDocument>;
  deleteDocument(caller: Caller, documentId: DocumentId): Promise<CommandedDocument>;
  openOriginal(caller: Caller, documentId: DocumentId): Promise<StoredFile>;
  openMarkdown(caller: Caller, documentId: DocumentId): Promise<StoredFile>;
  usage(caller: Caller): Promise<Usage>;
}
