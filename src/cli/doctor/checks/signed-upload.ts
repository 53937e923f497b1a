/** The way of a person's bytes: a URL is signed and an object is put there by nothing but the URL. */
import { randomUUID } from 'node:crypto';
import { ask } from '../ask.ts';
import { type Check, Ill } from '../check.ts';

export const signedUpload: Check = {
  name: 'storage: signed upload',
  needs: ['storage: write'],
  mend: {
    forbidden: 'Check that the storage server lets the service role sign uploads.',
    unavailable: 'Check that the address in SUPABASE_URL is reached by browsers as well.',
    refused:
      'Storage signs URLs and does not honour them: look for a proxy before SUPABASE_URL that drops the query or the method PUT.',
  },
  run: async ({ objectStore }) => {
    const key = `doctor/${randomUUID()}`;
    const { url } = await objectStore.signUpload(key);
    try {
      const { status } = await ask(url, {
        method: 'PUT',
        headers: { 'content-type': 'text/markdown' },
        body: 'doctor',
      });
      if (status !== 200) throw new Ill('refused', `PUT answered ${status}`);
    } finally {
      await objectStore.remove([key]);
    }
    return 'taken';
  },
};
