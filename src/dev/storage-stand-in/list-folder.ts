/** One page of a folder, as the real server lists it: names relative to the prefix, folders with null for an id. */
import type { DiskBucket, StoredObject } from './disk-bucket.ts';

export interface ListQuery {
  readonly prefix: string;
  readonly limit: number;
  readonly offset: number;
}

export function listFolder(
  bucket: DiskBucket,
  { prefix, limit, offset }: ListQuery,
): Record<string, unknown>[] {
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const rows = new Map<string, Record<string, unknown>>();
  for (const object of bucket.objectsBelow(folder)) {
    const [name = '', ...deeper] = object.key.slice(folder.length).split('/');
    if (deeper.length === 0) rows.set(name, fileRow(name, object));
    else if (!rows.has(name)) rows.set(name, folderRow(name));
  }
  return Array.from(rows)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(offset, offset + limit)
    .map(([, row]) => row);
}

function folderRow(name: string): Record<string, unknown> {
  return {
    name,
    id: null,
    updated_at: null,
    created_at: null,
    last_accessed_at: null,
    metadata: null,
  };
}

function fileRow(name: string, object: StoredObject): Record<string, unknown> {
  return {
    name,
    id: object.id,
    updated_at: object.updatedAt,
    created_at: object.createdAt,
    last_accessed_at: object.updatedAt,
    metadata: {
      eTag: object.etag,
      size: object.sizeBytes,
      mimetype: object.contentType,
      cacheControl: object.cacheControl,
      lastModified: object.updatedAt,
      contentLength: object.sizeBytes,
      httpStatusCode: 200,
    },
  };
}
