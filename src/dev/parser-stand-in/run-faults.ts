/** What a fault script can do to a job itself: operation `parse.run`. */
import type { FaultEffect } from '../fault-rules.ts';
import type { Conversion } from './conversion.ts';

const words = [
  'UNSUPPORTED_FILE_TYPE',
  'PDF_IS_PROTECTED',
  'PDF_IS_BROKEN',
  'NO_DATA_FOUND_IN_FILE',
  'DOCUMENT_TOO_LARGE',
  'TOO_MANY_PAGES',
  'TIMEOUT',
];

/**
 * `fail:<word>`, `fail-without-words` and `fail-with-text` (words that nobody knows) end the job before it is
 * read; `cancel` as an operator of the vendor would. `fail-pages` lets the last `value` pages fail; `expire`
 * gives the result out to nobody.
 */
export const runFaults = [
  ...words.map((word) => `fail:${word}`),
  'fail-without-words',
  'fail-with-text',
  'cancel',
  'fail-pages',
  'expire',
];

export type ToldEnd =
  | { readonly status: 'FAILED'; readonly errorMessage: string | null }
  | { readonly status: 'CANCELLED' };

/** The end that the script tells of, if it tells of one before the document is read. */
export function toldEnd(effect: FaultEffect | undefined): ToldEnd | undefined {
  if (effect?.kind !== 'named') return undefined;
  const { name } = effect;
  if (name === 'cancel') return { status: 'CANCELLED' };
  if (name === 'fail-without-words') return { status: 'FAILED', errorMessage: null };
  if (name === 'fail-with-text') {
    return { status: 'FAILED', errorMessage: 'Could not read "Dear Ms Example, your claim"' };
  }
  return name.startsWith('fail:')
    ? { status: 'FAILED', errorMessage: `${name.slice('fail:'.length)}: as the fault script says` }
    : undefined;
}

export function failPages(result: Conversion, effect: FaultEffect | undefined): Conversion {
  if (effect?.kind !== 'named' || effect.name !== 'fail-pages') return result;
  const intact = result.pages.length - (effect.value ?? 1);
  return {
    ...result,
    pages: result.pages.map((page, index) =>
      index < intact ? page : { page_number: page.page_number, success: false, error: 'timed out' },
    ),
  };
}
