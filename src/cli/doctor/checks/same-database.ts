/** API, worker and DATABASE_URL lead to one database: else documents are accepted that no worker ever sees. */
import { z } from 'zod';
import { databaseFingerprint } from '../../../db/fingerprint.ts';
import { pollersOf } from '../../../temporal/server-facts.ts';
import { ask } from '../ask.ts';
import { type Check, Ill, type Scene } from '../check.ts';

const answer = z.object({ fingerprint: z.string() });

export const sameDatabase: Check = {
  name: 'database: one for API and workers',
  needs: ['database: connection', 'api: ready', 'temporal: pollers'],
  mend: {
    different:
      'Give API, workers and this command the same DATABASE_URL, and restart what had another.',
    unknown: 'Restart it: it is of an earlier version, or started while its database was away.',
  },
  run: async (scene) => {
    const ours = await databaseFingerprint(scene.pool);
    const theirs = [await ofApi(scene), ...(await ofWorkers(scene))];
    for (const { who, fingerprint } of theirs) {
      if (fingerprint === undefined) throw new Ill('unknown', `${who} does not say which it is on`);
      if (fingerprint !== ours)
        throw new Ill('different', `${who} is on another than DATABASE_URL`);
    }
    return `${ours}, of ${theirs.map(({ who }) => who).join(' and ')}`;
  },
};

interface Holder {
  readonly who: string;
  readonly fingerprint: string | undefined;
}

async function ofApi({ apiUrl }: Scene): Promise<Holder> {
  const { status, text } = await ask(`${apiUrl}/health/database`);
  const { data } = answer.safeParse(status === 200 ? JSON.parse(text) : undefined);
  return { who: 'the API', fingerprint: data?.fingerprint };
}

async function ofWorkers({ temporal, config }: Scene): Promise<readonly Holder[]> {
  const pollers = await pollersOf(temporal, config.TASK_QUEUE, 'activity');
  const identities = [...new Set(pollers.map(({ identity }) => identity))];
  return identities.map((identity) => ({
    who: `worker ${identity.split(' ')[0]}`,
    fingerprint: /database=([0-9a-f]{12})$/.exec(identity)?.[1],
  }));
}
