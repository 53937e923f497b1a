/** The bundle's entry: every workflow type, and nothing else. */
export { eraseDocument } from './erase-document.ts';
export { ingestDocument } from './ingest-document.ts';
export { reconcile } from './reconcile.ts';
