/** A ZIP's central directory as plain data, read before anything is inflated. What it says are claims. */
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { IntakeError } from '../domain/errors.ts';

export interface ZipEntry {
  readonly name: string;
  readonly claimedBytes: number;
  readonly encrypted: boolean;
  readonly entry: Entry;
}

const MAX_ENTRIES = 5_000;

/** Throws `FILE_IS_BROKEN` for a directory that cannot be read, `DOCUMENT_TOO_LARGE` for one of more than 5,000 entries. */
export async function listZipEntries(path: string): Promise<readonly ZipEntry[]> {
  return withZip(path, readEntries);
}

/** Faults of the archive become `FILE_IS_BROKEN`; ours pass. */
export async function withZip<Result>(
  path: string,
  work: (zip: ZipFile) => Promise<Result>,
): Promise<Result> {
  let zip: ZipFile | undefined;
  try {
    // Names are judged and sizes counted by us: yauzl's own checks would hide which of our limits was met.
    zip = await openPromise(path, {
      autoClose: false,
      lazyEntries: true,
      decodeStrings: false,
      validateEntrySizes: false,
    });
    return await work(zip);
  } catch (error) {
    // The machine's own faults (no file handle, no file) say nothing about the archive.
    if (error instanceof IntakeError || (error instanceof Error && 'errno' in error)) throw error;
    throw new IntakeError('FILE_IS_BROKEN', { detail: 'the archive cannot be read', cause: error });
  } finally {
    zip?.close();
  }
}

export async function readEntries(zip: ZipFile): Promise<readonly ZipEntry[]> {
  const entries: ZipEntry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (entries.length === MAX_ENTRIES) {
      throw new IntakeError('DOCUMENT_TOO_LARGE', {
        detail: `over ${MAX_ENTRIES} archive entries`,
      });
    }
    entries.push({
      name: entry.fileNameRaw.toString('utf8'),
      claimedBytes: entry.uncompressedSize,
      encrypted: entry.isEncrypted(),
      entry,
    });
  }
  return entries;
}
