/** From facts to what a person reads: stage, progress, sentences, links. */
import type { z } from 'zod';
import { errorCodes, isErrorCode } from '../domain/errors.ts';
import type { DocumentId } from '../domain/ids.ts';
import { isTerminal, progressPercent, type Stage, stageOf } from '../domain/ingestion.ts';
import type {
  AcceptedUpload,
  CommandedDocument,
  DocumentDetail,
  DocumentFacts,
  ExplanationFacts,
  OperatedAnswer,
  OperatedDocument,
} from './dependencies.ts';
import type {
  commandAnswer,
  documentDetail,
  documentSummary,
  explanation,
  failure,
  operatedDocument,
  operatorAnswer,
  uploadAnswer,
} from './schemas.ts';

export function presentSummary(facts: DocumentFacts): z.output<typeof documentSummary> {
  const { documentId, errorCode, waiting } = facts;
  const self = documentUrl(documentId);
  return {
    documentId,
    name: facts.name,
    type: facts.mediaType,
    sizeBytes: facts.sizeBytes,
    status: facts.status,
    stage: stageAt(facts),
    progressPercent: progressAt(facts),
    confirmedAt: facts.confirmedAt,
    searchable: facts.searchable,
    error: errorCode && inWords(errorCode),
    waiting: waiting && { ...waiting, ...inWords(waiting.code) },
    createdAt: facts.createdAt,
    updatedAt: facts.updatedAt,
    endedAt: facts.endedAt,
    links: {
      self,
      original: `${self}/original`,
      markdown: `${self}/markdown`,
      temporalRun: facts.temporalRunUrl,
    },
  };
}

export function presentDetail(detail: DocumentDetail): z.output<typeof documentDetail> {
  return {
    ...presentSummary(detail),
    sha256: detail.sha256,
    correlationId: detail.correlationId,
    pages: detail.pages,
    failedPages: [...detail.failedPages],
    chunks: detail.chunks,
    attempts: detail.attempts.map(({ errorCode, ...attempt }) => ({
      ...attempt,
      error: errorCode && inWords(errorCode),
    })),
    timeline: detail.timeline.map(({ code, ...event }) => ({
      ...event,
      ...(code && inWords(code)),
    })),
  };
}

export function presentExplanation(facts: ExplanationFacts): z.output<typeof explanation> {
  const { lastError, buttons, ...others } = facts;
  return {
    ...others,
    buttons: [...buttons],
    lastError: lastError && {
      ...inWords(lastError.code),
      hint: definitionOf(lastError.code).hint,
      at: lastError.at,
    },
  };
}

export function presentOperated(facts: OperatedDocument): z.output<typeof operatedDocument> {
  const { documentId, errorCode, waitingCode, temporalRunUrl } = facts;
  const { ownerId, status, mayRetry, createdAt, updatedAt } = facts;
  return {
    documentId,
    ownerId,
    status,
    stage: stageAt(facts),
    progressPercent: progressAt(facts),
    error: errorCode && inWords(errorCode),
    waiting: waitingCode && inWords(waitingCode),
    mayRetry,
    createdAt,
    updatedAt,
    links: { self: documentUrl(documentId), temporalRun: temporalRunUrl },
  };
}

export function presentAnswer(answered: OperatedAnswer): z.output<typeof operatorAnswer> {
  const { answer, parser, deadline } = answered;
  return { ...presentCommand(answered), answer, parser, deadline };
}

export function presentCommand(document: CommandedDocument): z.output<typeof commandAnswer> {
  const { documentId, status } = document;
  return { documentId, status, statusUrl: documentUrl(documentId) };
}

export function presentUpload(accepted: AcceptedUpload): z.output<typeof uploadAnswer> {
  const { upload } = accepted;
  return {
    ...presentCommand(accepted),
    uploadUrl: upload?.url,
    uploadUrlExpiresAt: upload?.urlExpiresAt,
    uploadExpiresAt: upload?.expiresAt,
    confirmUrl: upload && `/v1/uploads/${accepted.documentId}/confirm`,
  };
}

function documentUrl(documentId: DocumentId): string {
  return `/v1/documents/${documentId}`;
}

/** Rows may hold codes of a newer version, which runs beside this one or did. */
function inWords(code: string): z.output<typeof failure> {
  const { message, turn } = definitionOf(code);
  return { code, message, turn };
}

function definitionOf(code: string) {
  return errorCodes[isErrorCode(code) ? code : 'INTERNAL_ERROR'];
}

type Stands = Pick<DocumentFacts, 'status' | 'failedStage'>;

function stageAt({ status, failedStage }: Stands): Stage | undefined {
  if (status === 'complete') return 'complete';
  return isTerminal(status) ? failedStage : stageOf[status];
}

function progressAt({ status }: Stands): number | undefined {
  return status === 'complete' || !isTerminal(status) ? progressPercent[status] : undefined;
}
