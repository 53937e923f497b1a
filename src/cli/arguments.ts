/** What may stand on the command line, checked before anything is sent. */
import { InvalidArgumentError } from 'commander';
import { IntakeError } from '../domain/errors.ts';
import { type DocumentId, parseId } from '../domain/ids.ts';
import { actorFault } from '../domain/operators.ts';
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

const durations = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** From now, as an instant. */
export function instantIn(text: string): string {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('It must be like 90m, 2h or 1d.');
  return new Date(
    Date.now() + Number(count) * durations[unit as keyof typeof durations],
  ).toISOString();
}

/** An operator says who it is: nobody else does, so it is needed and never guessed. */
export function requiredActor(actor: string | undefined): string {
  const fault = actorFault(actor);
  if (actor === undefined || fault !== undefined) {
    throw new IntakeError('INVALID_REQUEST', { detail: `--${fault}` });
  }
  return actor;
}

export const actorMeaning = 'who asks, in your own word; the timeline keeps it, as self-declared';

export function countUpTo(most: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}
