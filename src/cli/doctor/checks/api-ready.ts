/** The API answers, and has what it cannot do without. */
import { z } from 'zod';
import { ask } from '../ask.ts';
import { type Check, Ill } from '../check.ts';

const answer = z.object({ notReady: z.array(z.string()) });

export const apiReady: Check = {
  name: 'api: ready',
  mend: {
    unavailable:
      'Start the API, or set INTAKE_URL to its address; of what it misses, the lines above and its log say more.',
    refused: 'Something else than the API answers there: set INTAKE_URL to its address.',
  },
  run: async ({ apiUrl }) => {
    const { status, text } = await ask(`${apiUrl}/health/ready`);
    const { data } = answer.safeParse(parse(text));
    if (data === undefined) throw new Ill('refused', `${apiUrl} answered ${status}`);
    if (data.notReady.length > 0) {
      throw new Ill('unavailable', `${apiUrl} is not ready: ${data.notReady.join(', ')}`);
    }
    return apiUrl;
  },
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
