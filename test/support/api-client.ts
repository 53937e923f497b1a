/** Stand-ins for the API as a client sees it. */
import type { ApiClient, DocumentDetail } from '../../src/cli/api-client.ts';

/** Answers what a test needs; anything else would be a call that nobody expects. */
export function clientWith(part: Partial<ApiClient>): ApiClient {
  const unexpected = () => Promise.reject(new Error('unexpected call'));
  return {
    declareUpload: unexpected,
    confirmUpload: unexpected,
    document: unexpected,
    explain: unexpected,
    documents: unexpected,
    retry: unexpected,
    cancel: unexpected,
    delete: unexpected,
    search: unexpected,
    limits: unexpected,
    operator: {
      onTheRoad: unexpected,
      findByRuns: unexpected,
      poll: unexpected,
      extend: unexpected,
      fail: unexpected,
      retry: unexpected,
      cancel: unexpected,
    },
    ...part,
  };
}

export function describedDocument(part: Partial<DocumentDetail>): DocumentDetail {
  return {
    documentId: '5f4f3e9a-0000-4000-8000-000000000001',
    name: 'a.pdf',
    type: 'application/pdf',
    sizeBytes: 1,
    status: 'awaiting_upload',
    stage: undefined,
    progressPercent: undefined,
    searchable: false,
    error: undefined,
    waiting: undefined,
    confirmedAt: undefined,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    endedAt: undefined,
    links: { self: '', original: '', markdown: '', temporalRun: undefined },
    sha256: '',
    correlationId: '5f4f3e9a-0000-4000-8000-000000000002',
    pages: undefined,
    failedPages: [],
    chunks: undefined,
    attempts: [],
    timeline: [],
    ...part,
  };
}
