/** The way from a document to its run in Temporal UI. */
import { type DocumentId, ingestWorkflowId } from '../../domain/ids.ts';

export interface RunLinks {
  readonly uiUrl: string;
  readonly namespace: string;
}

/** `undefined` for a document without a run yet. */
export function runUrl(
  { uiUrl, namespace }: RunLinks,
  documentId: DocumentId,
  runId: string | undefined,
): string | undefined {
  if (runId === undefined) return undefined;
  const path = ['namespaces', namespace, 'workflows', ingestWorkflowId(documentId), runId].map(
    encodeURIComponent,
  );
  return `${uiUrl.replace(/\/$/, '')}/${path.join('/')}`;
}
