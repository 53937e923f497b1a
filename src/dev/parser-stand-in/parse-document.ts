/** One document to pages, or to the word that LlamaParse has for the failure. Runs in a process of its own, text files apart. */
import { IntakeError } from '../../domain/errors.ts';
import { defaultInspectLimits, inspectFile } from '../../parsing/inspect-file.ts';
import { hasText } from '../../parsing/join-pages.ts';
import type { Conversion, Progress } from './conversion.ts';
import { convertText } from './convert-text.ts';
import type { ParseOutcome, ParseSettings } from './parse-outcome.ts';

export async function parseDocument(
  path: string,
  settings: ParseSettings,
  tell: Progress,
): Promise<ParseOutcome> {
  try {
    // The vendor has guards of its own; here they are the same as Intake's.
    await inspectFile(path, settings, defaultInspectLimits);
    const conversion = await convert(path, settings, tell);
    const word = failureOf(conversion, settings);
    return word === undefined ? { ok: true, conversion } : { ok: false, word };
  } catch (error) {
    return { ok: false, word: wordFor(error) };
  }
}

/** A process reads one document: only that type's libraries are loaded. */
async function convert(path: string, settings: ParseSettings, tell: Progress): Promise<Conversion> {
  switch (settings.mediaType) {
    case 'application/pdf':
      return (await import('./convert-pdf.ts')).convertPdf(path, settings, tell);
    case 'application/vnd.openxmlformats-officedocument.wordprocessingml.document':
      return (await import('./convert-docx.ts')).convertDocx(path);
    case 'text/html':
      return (await import('./convert-html.ts')).convertHtml(path);
    case 'text/markdown':
    case 'text/plain':
      return convertText(path);
  }
}

function failureOf({ pages }: Conversion, settings: ParseSettings): string | undefined {
  const failed = pages.filter((page) => !page.success).length;
  if (failed > settings.allowedFailureRatio * pages.length) return 'PDF_IS_BROKEN';
  const texts = pages.flatMap((page) => (page.success ? [page.markdown] : []));
  if (!texts.some(hasText)) return 'NO_DATA_FOUND_IN_FILE';
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return bytes > settings.maxMarkdownBytes ? 'DOCUMENT_TOO_LARGE' : undefined;
}

function wordFor(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // What V8 says when a string or a buffer no longer fits; a full stack is the file's fault.
    if (cause instanceof RangeError) {
      return /call stack/i.test(cause.message) ? 'FILE_IS_BROKEN' : 'DOCUMENT_TOO_LARGE';
    }
  }
  if (!(error instanceof IntakeError)) return 'INTERNAL_ERROR';
  const isAnotherType = error.code === 'EMPTY_FILE' || error.code === 'TYPE_MISMATCH';
  return isAnotherType ? 'UNSUPPORTED_FILE_TYPE' : error.code;
}
