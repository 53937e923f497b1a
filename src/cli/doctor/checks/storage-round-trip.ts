/** One object on its way through the bucket: written, read, compared, deleted, by the port that the pipeline uses. */
import { randomBytes, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { type ErrorCode, IntakeError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Check, Complaint } from './checks.ts';

const SIZE_BYTES = 64 * 1024;
/** Of a type that Intake itself writes: the bucket must allow it. */
const CONTENT_TYPE = 'text/markdown; charset=utf-8';

export function storageChecks(store: ObjectStore): readonly Check[] {
  const key = `doctor/${randomUUID()}`;
  const written = randomBytes(SIZE_BYTES);
  let read: Buffer | undefined;
  const name = (step: string) => `storage: ${step}`;
  const steps: readonly Omit<Check, 'complaintOf'>[] = [
    {
      name: name('write'),
      run: async () => {
        await store.put(key, written, { contentType: CONTENT_TYPE });
        return `${SIZE_BYTES} bytes`;
      },
    },
    {
      name: name('read'),
      needs: [name('write')],
      run: async () => {
        read = await buffer(await store.read(key, { maxBytes: SIZE_BYTES }));
        return `${read.byteLength} bytes`;
      },
    },
    {
      name: name('compare'),
      needs: [name('read')],
      run: async () => {
        if (read?.equals(written)) return 'the same bytes';
        throw new IntakeError('CHECKSUM_MISMATCH', {
          detail: 'what was read differs from what was written',
        });
      },
    },
    {
      name: name('delete'),
      needs: [name('write')],
      run: async () => {
        await store.remove([key]);
        return 'gone';
      },
    },
  ];
  return steps.map((step) => ({ ...step, complaintOf }));
}

const complaints: Partial<Record<ErrorCode, Omit<Complaint, 'detail'>>> = {
  STORAGE_OBJECT_ABSENT: {
    outcome: 'absent',
    mend: 'Storage took the object and does not show it: look for a second storage behind SUPABASE_URL, or a rule that removes objects.',
  },
  STORAGE_FORBIDDEN: {
    outcome: 'forbidden',
    mend: 'Check that SUPABASE_SERVICE_ROLE_KEY is the service key (not the anon key) of the project at SUPABASE_URL, that the bucket SUPABASE_BUCKET exists there, and that its policies allow the service role everything.',
  },
  STORAGE_UNAVAILABLE: {
    outcome: 'unavailable',
    mend: 'Check SUPABASE_URL, and whether storage is up and reached from here.',
  },
  CHECKSUM_MISMATCH: {
    outcome: 'corrupt',
    mend: 'Something between here and the disk changes bytes: look for proxies and caches that rewrite or compress bodies.',
  },
  DOCUMENT_TOO_LARGE: {
    outcome: 'corrupt',
    mend: 'More came back than was written, or the bucket’s size limit is below 64 KB.',
  },
};

function complaintOf({ code, detail }: IntakeError): Complaint {
  const known = complaints[code] ?? {
    outcome: code,
    mend: 'This is not foreseen: see the detail.',
  };
  return { ...known, detail };
}
