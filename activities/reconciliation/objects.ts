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
/** Documents that are listed at once. */
const AT_ONCE = 5;
/** Owners whose folders are walked in one go: each costs a listing. */
const OWNERS_PER_PAGE = 500;

export async function* lookAtObjects(
  scene: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  const page = await storedDocuments(scene.pool, { after: cursor, limit: PAGE });
  for (let start = 0; start < page.length; start += AT_ONCE) {
    yield* compare(scene, page.slice(start, start + AT_ONCE));
  }
  return page.length < PAGE ? undefined : page.at(-1)?.documentId;
}

async function* compare(scene: Scene, documents: readonly StoredDocument[]): AsyncGenerator<Found> {
  const listed = await Promise.all(documents.map((document) => keysOf(scene, document)));
  const unknown = new Set(await unknownKeys(scene.pool, listed.flat()));
  for (const [index, document] of documents.entries()) {
    const keys = listed[index] ?? [];
    yield* missing(scene, document, keys);
    yield* strangers(
      scene,
      document,
      keys.filter((key) => unknown.has(key)),
    );
  }
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
  unknown: readonly string[],
): AsyncGenerator<Found> {
  const isWanted = (key: string) => awaitsUpload && !key.startsWith('parsed/');
  yield* orphans(
    scene,
    documentId,
    unknown.filter((key) => !isWanted(key)),
  );
  for (const key of unknown.filter(isWanted)) {
    const heal = () =>
      inTransaction(scene.pool, (transaction) => adoptUpload(transaction, { documentId, key }));
    yield { kind: 'upload-without-row', id: key, since: updatedAt, heal };
  }
}

async function* orphans(
  scene: Scene,
  documentId: DocumentId,
  unknown: readonly string[],
): AsyncGenerator<Found> {
  const kind = 'object-without-row';
  for (const key of unknown) {
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

/** Owner by owner. The cursor is the folder of the last: storage lists names in order. */
export async function* lookAtFolders(
  scene: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  let walked = 0;
  let last: string | undefined;
  for await (const folder of ownerFolders(scene, cursor)) {
    if (walked === OWNERS_PER_PAGE) return last;
    yield* foldersWithoutRow(scene, folder);
    walked += 1;
    last = folder;
  }
  return undefined;
}

async function* foldersWithoutRow(scene: Scene, ownerFolder: string): AsyncGenerator<Found> {
  for await (const documentIds of batches(documentsIn(scene, ownerFolder))) {
    const known = await knownDocuments(scene.pool, documentIds);
    for (const documentId of documentIds) {
      if (known.has(documentId)) continue;
      // While its run is open, the row may come back: then the bytes are needed.
      const run = await scene.runs.latestRun(documentId);
      if (run !== undefined && run.closedAt === undefined && !scene.afterRestore) continue;
      const keys = await scene.objectStore.list(`${ownerFolder}/${documentId}/`, scene.signal);
      yield* orphans(scene, documentId, await unknownKeys(scene.pool, keys));
    }
  }
}

const roots = ['originals', 'parsed', 'uploads'] as const;

/** Every owner's folder below our three roots behind `cursor`. Whatever is not of our form belongs to others. */
async function* ownerFolders(
  { objectStore, signal }: Scene,
  cursor: string | undefined,
): AsyncGenerator<string> {
  for (const root of roots) {
    if (cursor !== undefined && root < (cursor.split('/')[0] ?? '')) continue;
    for await (const { name, isFolder } of objectStore.entries(`${root}/`, signal)) {
      const folder = `${root}/${name}`;
      if (!isFolder || !parseId<OwnerId>(name)) continue;
      if (cursor === undefined || folder > cursor) yield folder;
    }
  }
}

async function* documentsIn(
  { objectStore, signal }: Scene,
  ownerFolder: string,
): AsyncGenerator<DocumentId> {
  for await (const { name } of objectStore.entries(`${ownerFolder}/`, signal)) {
    const documentId = parseId<DocumentId>(name);
    if (documentId) yield documentId;
  }
}
