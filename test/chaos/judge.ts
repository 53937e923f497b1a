/** The oracle on a ground: everything that came to rest on it, or one cell's part of it. */

import type { Ground } from './ground.ts';
import { CANARY } from './life.ts';
import { askOracle, type Violation } from './oracle/oracle.ts';
import type { Scene } from './oracle/scene.ts';

export async function sceneOf(
  ground: Ground,
  { owners = [...ground.persons.keys()], mayRepeat = () => 0 }: Partial<Scene> = {},
): Promise<Scene> {
  return {
    database: ground.pool,
    objectStore: ground.objectStore,
    temporal: ground.temporal,
    ledgers: await ground.ledgers(),
    logs: await ground.logs(),
    canary: CANARY,
    owners,
    mayRepeat,
    async search(ownerId, documentId) {
      const answer = await ground.persons
        .get(ownerId)
        ?.send<{ passages?: readonly { documentId: string }[] }>('POST', '/v1/search', {
          json: { query: CANARY, documentIds: [documentId] },
        });
      return answer?.body.passages?.map((passage) => passage.documentId) ?? [];
    },
  };
}

export async function judge(
  ground: Ground,
  about: Partial<Scene> = {},
): Promise<readonly Violation[]> {
  return await askOracle(await sceneOf(ground, about));
}
