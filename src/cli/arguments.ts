/** What may stand on the command line, checked before anything is sent. */
import { InvalidArgumentError } from 'commander';
import { type DocumentId, parseId } from '../domain/ids.ts';
import { isShortId } from './short-ids.ts';

/** A whole one, or the first characters of one, as they are shown beside a document's name. */
export function documentId(text: string): string {
  const id = text.toLowerCase();
  if (!isShortId(id)) return wholeDocumentId(id);
  return id;
}

export function wholeDocumentId(text: string): string {
  const id = parseId<DocumentId>(text.toLowerCase());
  if (id === undefined) throw new InvalidArgumentError('It is no document id.');
  return id;
}

/** For options and arguments that may be given several times. */
export function documentIds(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, documentId(text)];
}

export function countUpTo(most: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}
