/** Paths as the original stored them, in several forms, as keys of its bucket. */
import { createHash } from 'node:crypto';
import type { DocumentId, OwnerId } from '../domain/ids.ts';

/** `files/…`, `storage://files/…` and `storage://…` name the same bucket. */
export function keyOf(path: string): string {
  return path.replace(/^storage:\/\//, '').replace(/^\/?files\//, '');
}

/**
 * In the owner's folder, or named after the document. Copies between people left paths into other people's folders, and
 * nothing of theirs may be read or erased for this owner.
 */
export function isOwn(
  key: string,
  { ownerId, documentId }: { readonly ownerId: OwnerId; readonly documentId: DocumentId },
): boolean {
  const [name = '', ...folders] = key.split('/').toReversed();
  if (folders.length > 0) return folders.includes(ownerId);
  return name.includes(createHash('md5').update(documentId).digest('hex').slice(0, 8));
}
