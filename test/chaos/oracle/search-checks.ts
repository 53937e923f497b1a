/** `complete` means found by search: by its owner, over the API. */
import type { Check } from './scene.ts';

export const searchChecks: readonly Check[] = [
  {
    invariant: 11,
    name: 'a complete document is found by its owner',
    async find({ database, owners, search }) {
      const { rows } = await database.query<{ id: string; owner_id: string }>(
        `select d.id, d.owner_id from intake.documents d
         join intake.attempts a on a.id = d.current_attempt_id and a.status = 'complete'
         where d.owner_id = any($1) and d.deleted_at is null`,
        [owners],
      );
      const lost: string[] = [];
      for (const { id, owner_id } of rows) {
        if (!(await search(owner_id, id)).includes(id)) lost.push(id);
      }
      return lost;
    },
  },
];
