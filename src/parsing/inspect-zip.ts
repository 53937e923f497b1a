/** Guard against archives that are small only as long as nobody opens them. */
import { stat } from 'node:fs/promises';
import { validateFileName, type ZipFile } from 'yauzl';
import { IntakeError } from '../domain/errors.ts';
import { readEntries, withZip, type ZipEntry } from './zip-entries.ts';

export interface ZipLimits {
  /** All entries unpacked. */
  readonly maxUnpackedBytes: number;
  /** One entry unpacked. */
  readonly maxPartBytes: number;
  /** Unpacked to packed, for archives that unpack to more than `ratioFromBytes`. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
}

/** Claimed sizes first; then everything is unpacked into nothing and counted, since claims may lie. */
export async function inspectZip(path: string, limits: ZipLimits): Promise<void> {
  const packedBytes = (await stat(path)).size;
  await withZip(path, async (zip) => {
    const entries = await readEntries(zip);
    const budget = new Budget(limits, packedBytes);
    for (const entry of entries) {
      requireHarmless(entry);
      budget.spend(entry.claimedBytes, entry.claimedBytes);
    }
    const counted = new Budget(limits, packedBytes);
    for (const entry of entries) await countUnpacked(zip, entry, counted);
  });
}

class Budget {
  readonly #limits: ZipLimits;
  readonly #maxBytes: number;
  #spent = 0;

  constructor(limits: ZipLimits, packedBytes: number) {
    this.#limits = limits;
    const byRatio = Math.max(packedBytes * limits.maxRatio, limits.ratioFromBytes);
    this.#maxBytes = Math.min(limits.maxUnpackedBytes, byRatio);
  }

  /** `partBytes` is the size of the part so far, `bytes` what is added to the whole. */
  spend(bytes: number, partBytes: number): void {
    this.#spent += bytes;
    if (partBytes > this.#limits.maxPartBytes || this.#spent > this.#maxBytes) {
      throw new IntakeError('DOCUMENT_TOO_LARGE', {
        detail: 'the archive unpacks beyond its limit',
      });
    }
  }
}

function requireHarmless({ name, encrypted }: ZipEntry): void {
  if (encrypted) throw new IntakeError('FILE_IS_BROKEN', { detail: 'an encrypted archive entry' });
  if (validateFileName(name) !== null) {
    throw new IntakeError('FILE_IS_BROKEN', { detail: 'an archive entry that points elsewhere' });
  }
}

async function countUnpacked(zip: ZipFile, { entry, claimedBytes }: ZipEntry, budget: Budget) {
  let partBytes = 0;
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    partBytes += chunk.length;
    budget.spend(chunk.length, partBytes);
  }
  if (partBytes !== claimedBytes) {
    throw new IntakeError('FILE_IS_BROKEN', {
      detail: 'an archive entry of another size than it says',
    });
  }
}
