/** Callers' tokens can be proven: the key set is there and has keys. */
import { z } from 'zod';
import { ask } from '../ask.ts';
import { type Check, Ill } from '../check.ts';

const keySet = z.object({ keys: z.array(z.object({ kty: z.enum(['EC', 'RSA']) })).min(1) });

export const identityKeys: Check = {
  name: 'identity: keys',
  mend: {
    unavailable: 'Check SUPABASE_JWKS_URL, and whether it is reached from here.',
    absent:
      'Check SUPABASE_JWKS_URL, usually <SUPABASE_URL>/auth/v1/.well-known/jwks.json: no EC or RSA key is there.',
  },
  run: async ({ config }) => {
    const { SUPABASE_JWKS_URL } = config;
    if (SUPABASE_JWKS_URL === undefined) return 'a shared secret';
    const { status, text } = await ask(SUPABASE_JWKS_URL);
    const { data } = keySet.safeParse(status === 200 ? parse(text) : undefined);
    if (data === undefined) throw new Ill('absent', `answered ${status}`);
    return `${data.keys.length} keys`;
  },
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
