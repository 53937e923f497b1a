/** One object on its way through the bucket: written, read, compared, deleted, by the port that the pipeline uses. */
import { randomBytes, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { IntakeError } from '../../../domain/errors.ts';
import type { Check } from '../check.ts';

const SIZE_BYTES = 64 * 1024;
/** Of a type that Intake itself writes: the bucket must allow it. */
const CONTENT_TYPE = 'text/markdown; charset=utf-8';

const mend: Check['mend'] = {
  absent:
    'Storage took the object and does not show it: look for a second storage behind SUPABASE_URL, or a rule that removes objects.',
  forbidden:
    'Check that SUPABASE_SERVICE_ROLE_KEY is the service key (not the anon key) of the project at SUPABASE_URL, that the bucket SUPABASE_BUCKET exists there, and that its policies allow the service role everything.',
  unavailable: 'Check SUPABASE_URL, and whether storage is up and reached from here.',
  corrupt:
    'Something between here and the disk changes bytes: look for proxies and caches that rewrite or compress bodies, and for a size limit of the bucket below 64 KB.',
};

/** The steps share the object: each round has its own. */
export function storageRoundTrip(): readonly Check[] {
  const key = `doctor/${randomUUID()}`;
  const written = randomBytes(SIZE_BYTES);
  let read: Buffer | undefined;
  return [
    {
      name: 'storage: write',
      mend,
      run: async ({ objectStore }) => {
        await objectStore.put(key, written, { contentType: CONTENT_TYPE });
        return `${SIZE_BYTES} bytes`;
      },
    },
    {
      name: 'storage: read',
      needs: ['storage: write'],
      mend,
      run: async ({ objectStore }) => {
        read = await buffer(await objectStore.read(key, { maxBytes: SIZE_BYTES }));
        return `${read.byteLength} bytes`;
      },
    },
    {
      name: 'storage: compare',
      needs: ['storage: read'],
      mend,
      run: async () => {
        if (read?.equals(written)) return 'the same bytes';
        throw new IntakeError('CHECKSUM_MISMATCH', {
          detail: 'what was read differs from what was written',
        });
      },
    },
    {
      name: 'storage: delete',
      needs: ['storage: write'],
      mend,
      run: async ({ objectStore }) => {
        await objectStore.remove([key]);
        return 'gone';
      },
    },
  ];
}
