/** The Markdown that this attempt or an earlier one stored: nothing is asked of the vendor again. */
import { createHash } from 'node:crypto';
import type { Attempt } from '../src/db/attempts.ts';
import { revokeParsed } from '../src/db/versions.ts';
import type { PageOffset } from '../src/domain/chunk.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { readText } from '../src/storage/read-text.ts';
import type { AttemptScope } from './attempt-scope.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface Markdown {
  readonly text: string;
  readonly sha256: string;
  readonly pageOffsets: readonly PageOffset[];
}

/** `undefined` when none was stored. One that is gone is lost for good: the document is parsed again. */
export async function storedMarkdown(
  { objectStore, limits }: ActivityDependencies,
  { version }: Attempt,
  scope: AttemptScope,
): Promise<Markdown | undefined> {
  const { markdownKey, markdownSha256, pageOffsets } = version;
  if (!markdownKey || !markdownSha256) return undefined;
  const options = { maxBytes: limits.maxMarkdownBytes, signal: scope.signal };
  const text = await readText(objectStore, markdownKey, options).catch(async (error: unknown) => {
    if (!(error instanceof IntakeError) || error.code !== 'STORAGE_OBJECT_ABSENT') throw error;
    await scope.hold((transaction) => revokeParsed(transaction, version.id));
    throw new IntakeError('LLAMAPARSE_RESULT_EXPIRED', { detail: 'the stored Markdown is gone' });
  });
  if (sha256Of(text) !== markdownSha256) {
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'the Markdown reads back differently' });
  }
  const pages = pageOffsets.map((startOffset, index) => ({ pageNumber: index + 1, startOffset }));
  return { text, sha256: markdownSha256, pageOffsets: pages };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
