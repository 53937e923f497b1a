/** Rows and object store must tell the same story. */
import type { Check, Scene } from './scene.ts';

const roots = ['uploads', 'originals', 'parsed'];

async function storedKeys({ objectStore, owners }: Scene): Promise<ReadonlySet<string>> {
  const keys: string[] = [];
  for (const owner of owners) {
    for (const root of roots) keys.push(...(await objectStore.list(`${root}/${owner}/`)));
  }
  return new Set(keys);
}

export const bytesChecks: readonly Check[] = [
  {
    invariant: 2,
    name: 'no object that the rows do not know',
    async find(scene) {
      const { rows } = await scene.database.query<{ key: string }>(
        `select o.key from intake.objects o join intake.documents d on d.id = o.document_id
         where d.owner_id = any($1) and d.deleted_at is null`,
        [scene.owners],
      );
      const known = new Set(rows.map(({ key }) => key));
      return [...(await storedKeys(scene))].filter((key) => !known.has(key));
    },
  },
  {
    invariant: 11,
    name: 'a complete document has its original and its Markdown',
    async find(scene) {
      const stored = await storedKeys(scene);
      const { rows } = await scene.database.query<{ id: string; keys: (string | null)[] }>(
        `select d.id, array[v.original_key, v.markdown_key] as keys from intake.documents d
         join intake.attempts a on a.id = d.current_attempt_id and a.status = 'complete'
         join intake.versions v on v.id = d.current_version_id
         where d.owner_id = any($1) and d.deleted_at is null`,
        [scene.owners],
      );
      return rows
        .filter(({ keys }) => !keys.every((key) => key !== null && stored.has(key)))
        .map(({ id }) => id);
    },
  },
];
