/** The bucket's own limits and openness, held against what Intake will ask of it. */
import { mediaTypes } from '../../../domain/media-types.ts';
import { readBucket } from '../../../storage/read-bucket.ts';
import { type Check, Ill } from '../check.ts';

const STEP_TIMEOUT_MS = 10_000;

export const storageBucket: Check = {
  name: 'storage: bucket',
  mend: {
    forbidden:
      'Check that SUPABASE_SERVICE_ROLE_KEY is the service key (not the anon key) of the project at SUPABASE_URL, and that the bucket SUPABASE_BUCKET exists there.',
    unavailable: 'Check SUPABASE_URL, and whether storage is up and reached from here.',
    'too open': 'Make the bucket private: whoever guesses a key reads a document.',
    'too small':
      'Raise the bucket’s file size limit to MAX_FILE_BYTES, or lower MAX_FILE_BYTES: larger files would be refused after they were sent.',
    refused: 'Let the bucket take these types, or take its list of allowed types away.',
  },
  run: async ({ config }) => {
    const bucket = await readBucket({
      url: config.SUPABASE_URL,
      serviceRoleKey: config.SUPABASE_SERVICE_ROLE_KEY,
      bucket: config.SUPABASE_BUCKET,
      callTimeoutMs: STEP_TIMEOUT_MS,
    });
    if (bucket.isPublic) throw new Ill('too open', 'the bucket is public');
    const { maxFileBytes = Number.POSITIVE_INFINITY, allowedTypes } = bucket;
    if (maxFileBytes < config.MAX_FILE_BYTES) {
      throw new Ill(
        'too small',
        `${maxFileBytes} bytes, MAX_FILE_BYTES is ${config.MAX_FILE_BYTES}`,
      );
    }
    const refused = Object.keys(mediaTypes).filter((type) => !isAllowed(type, allowedTypes));
    if (refused.length > 0) throw new Ill('refused', refused.join(', '));
    return `private, files up to ${Number.isFinite(maxFileBytes) ? `${maxFileBytes} bytes` : 'any size'}`;
  },
};

/** A list entry is a type, or a family such as `text/*`. */
function isAllowed(type: string, allowed: readonly string[] | undefined): boolean {
  const family = `${type.split('/')[0]}/*`;
  return allowed === undefined || allowed.some((entry) => [type, family, '*/*'].includes(entry));
}
