/** Database and storage: keys of living documents compared both ways, and folders of documents that have no row. */
import { objectPrefixes, type Place } from '../../src/db/objects.ts';
import { inTransaction } from '../../src/db/pool.ts';
import {
  adoptUpload,
  knownDocuments,
  lockDocument,
  type StoredDocument,
  storedDocuments,
  unknownKeys,
} from '../../src/db/reconciliation.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import { type DocumentId, type OwnerId, parseId } from '../../src/domain/ids.ts';
import type { ObjectStat } from '../../src/storage/object-store.ts';
import { batches } from './batches.ts';
import type { Found, Scene } from './finding.ts';
import { isOver } from './grace.ts';

const PAGE = 50;

export async function* lookAtObjects(
  scene: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  const page = await storedDocuments(scene.pool, { after: cursor, limit: PAGE });
  for (const document of page) {
    const keys = await keysOf(scene, document);
    yield* missing(scene, document, keys);
    yield* strangers(scene, document, keys);
  }
  return page.length < PAGE ? undefined : page.at(-1)?.documentId;
}

async function keysOf({ objectStore, signal }: Scene, place: Place): Promise<readonly string[]> {
  const lists = objectPrefixes(place).map((prefix) => objectStore.list(prefix, signal));
  return (await Promise.all(lists)).flat();
}

/**
 * Only reported: the row is the last trace of where the bytes were, and they may be put back. Whoever needs them says
 * so by itself (a retry asks for an upload, or parses again), and the chunks of a complete document stay searchable.
 */
async function* missing(
  scene: Scene,
  { evidence, updatedAt }: StoredDocument,
  keys: readonly string[],
): AsyncGenerator<Found> {
  const kind = 'row-without-object';
  if (!isOver(kind, updatedAt, scene)) return;
  for (const id of evidence) {
    if (keys.includes(id) || (await stat(scene, id)) !== undefined) continue;
    yield { kind, id, since: updatedAt };
  }
}

/** Bytes that reached a document after the dump are given back to it where it waits for them. */
async function* strangers(
  scene: Scene,
  { documentId, awaitsUpload, updatedAt }: StoredDocument,
  keys: readonly string[],
): AsyncGenerator<Found> {
  const isWanted = (key: string) => awaitsUpload && !key.startsWith('parsed/');
  yield* orphans(
    scene,
    documentId,
    keys.filter((key) => !isWanted(key)),
  );
  for (const key of await unknownKeys(scene.pool, keys.filter(isWanted))) {
    const heal = () =>
      inTransaction(scene.pool, (transaction) => adoptUpload(transaction, { documentId, key }));
    yield { kind: 'upload-without-row', id: key, since: updatedAt, heal };
  }
}

async function* orphans(
  scene: Scene,
  documentId: DocumentId,
  keys: readonly string[],
): AsyncGenerator<Found> {
  const kind = 'object-without-row';
  for (const key of await unknownKeys(scene.pool, keys)) {
    const since = (await stat(scene, key))?.modifiedAt;
    // What is gone by now, or of no known age, is left alone.
    if (since === undefined || !isOver(kind, since, scene)) continue;
    const heal = () => removeUnknown(scene, documentId, key);
    // After a restore it may be the last trace of a document: the schedule removes it when its grace is over.
    yield scene.afterRestore ? { kind, id: key, since } : { kind, id: key, since, heal };
  }
}

/** A key is written down before its bytes come, and not while the document is locked: what has no row now never will. */
async function removeUnknown(
  { pool, objectStore, signal }: Scene,
  documentId: DocumentId,
  key: string,
): Promise<void> {
  await inTransaction(pool, async (transaction) => {
    await lockDocument(transaction, documentId);
    const [unknown] = await unknownKeys(transaction, [key]);
    if (unknown !== undefined) await objectStore.remove([unknown], signal);
  });
}

/** `undefined` when it is truly absent; a store that refuses us throws. */
async function stat({ objectStore, signal }: Scene, key: string): Promise<ObjectStat | undefined> {
  try {
    return await objectStore.stat(key, signal);
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'STORAGE_OBJECT_ABSENT') return undefined;
    throw error;
  }
}

export async function* lookAtFolders(scene: Scene): AsyncGenerator<Found, undefined> {
  for await (const folders of batches(documentFolders(scene))) {
    const known = await knownDocuments(
      scene.pool,
      folders.map(({ documentId }) => documentId),
    );
    for (const { documentId, prefix } of folders) {
      if (known.has(documentId)) continue;
      // While its run is open, the row may come back: then the bytes are needed.
      const run = await scene.runs.latestRun(documentId);
      if (run !== undefined && run.closedAt === undefined && !scene.afterRestore) continue;
      yield* orphans(scene, documentId, await scene.objectStore.list(prefix, scene.signal));
    }
  }
  return undefined;
}

interface Folder {
  readonly documentId: DocumentId;
  readonly prefix: string;
}

/** Every folder of a document below our three roots. Whatever is not of our form belongs to others. */
async function* documentFolders({ objectStore, signal }: Scene): AsyncGenerator<Folder> {
  for (const root of ['uploads', 'originals', 'parsed']) {
    for await (const { name: owner, isFolder } of objectStore.entries(`${root}/`, signal)) {
      if (!isFolder || !parseId<OwnerId>(owner)) continue;
      for await (const { name } of objectStore.entries(`${root}/${owner}/`, signal)) {
        const documentId = parseId<DocumentId>(name);
        if (documentId) yield { documentId, prefix: `${root}/${owner}/${name}/` };
      }
    }
  }
}
