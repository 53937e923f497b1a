/**
 * A bucket on disk. Bytes lie under a fresh version, the object's row beside them in `objects/`; a row is renamed
 * into place last, so that whatever is killed in between leaves the old object or the new one and never a mixture.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from './refusals.ts';

export interface StoredObject {
  readonly id: string;
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly userMetadata: unknown;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type ObjectAttributes = Pick<StoredObject, 'contentType' | 'cacheControl' | 'userMetadata'>;

export interface BucketRow {
  readonly id: string;
  readonly public: boolean;
  readonly fileSizeLimit: number | null;
  readonly allowedMimeTypes: readonly string[] | null;
  readonly createdAt: string;
}

export class DiskBucket {
  readonly row: BucketRow;
  readonly #folder: string;
  readonly #objects = new Map<string, StoredObject>();

  /** Opens the folder of a bucket and clears what a killed process left half done. */
  constructor(folder: string, row: BucketRow) {
    this.row = row;
    this.#folder = folder;
    rmSync(join(folder, 'incoming'), { recursive: true, force: true });
    for (const part of ['incoming', 'bytes', 'objects']) {
      mkdirSync(join(folder, part), { recursive: true });
    }
    for (const name of readdirSync(join(folder, 'objects'))) {
      const object: StoredObject = JSON.parse(readFileSync(join(folder, 'objects', name), 'utf8'));
      this.#objects.set(object.key, object);
    }
    const referenced = new Set(Array.from(this.#objects.values(), ({ version }) => version));
    for (const version of readdirSync(join(folder, 'bytes'))) {
      if (!referenced.has(version)) rmSync(join(folder, 'bytes', version));
    }
  }

  find(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  objectsBelow(prefix: string): StoredObject[] {
    return Array.from(this.#objects.values()).filter(({ key }) => key.startsWith(prefix));
  }

  /** The bytes of exactly this version, `undefined` when it was replaced or removed meanwhile. */
  async open({ version }: StoredObject): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path('bytes', version));
    } catch (error) {
      if (isMissingFile(error)) return undefined;
      throw error;
    }
  }

  /** No lock: of two writers of one key the last to finish wins, as in the real server. */
  async write(
    key: string,
    body: AsyncIterable<Uint8Array>,
    attributes: ObjectAttributes,
  ): Promise<StoredObject> {
    const version = randomUUID();
    const hash = createHash('md5');
    const limit = this.row.fileSizeLimit ?? Number.POSITIVE_INFINITY;
    let sizeBytes = 0;
    async function* measured(): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > limit) throw refuse.entityTooLarge();
        hash.update(chunk);
        yield chunk;
      }
    }
    await rename(await this.#writeIncoming(measured()), this.#path('bytes', version));
    return this.#place({ key, version, sizeBytes, etag: `"${hash.digest('hex')}"`, ...attributes });
  }

  async copy(source: StoredObject, key: string): Promise<StoredObject> {
    const bytes = await this.open(source);
    if (bytes === undefined) throw refuse.noSuchKey();
    const version = randomUUID();
    const incoming = await this.#writeIncoming(bytes.createReadStream());
    await rename(incoming, this.#path('bytes', version));
    return this.#place({ ...source, key, version });
  }

  async remove({ key, version }: StoredObject): Promise<void> {
    this.#objects.delete(key);
    rmSync(this.#path('objects', rowName(key)), { force: true });
    await rm(this.#path('bytes', version), { force: true });
  }

  async #place(
    content: Omit<StoredObject, 'id' | 'createdAt' | 'updatedAt'>,
  ): Promise<StoredObject> {
    const now = new Date().toISOString();
    const before = this.#objects.get(content.key);
    const object: StoredObject = {
      ...content,
      id: before?.id ?? randomUUID(),
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
    };
    try {
      const incoming = await this.#writeIncoming([Buffer.from(JSON.stringify(object))]);
      // Row and index change in one tick, or two racing writers could leave them apart.
      renameSync(incoming, this.#path('objects', rowName(object.key)));
    } catch (error) {
      await rm(this.#path('bytes', object.version), { force: true });
      throw error;
    }
    const replaced = this.#objects.get(object.key);
    this.#objects.set(object.key, object);
    if (replaced !== undefined) await rm(this.#path('bytes', replaced.version), { force: true });
    return object;
  }

  /** A synced temporary file to be renamed into place; none is left when writing fails. */
  async #writeIncoming(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
    const path = this.#path('incoming', randomUUID());
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(body);
      await handle.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return path;
  }

  #path(part: 'bytes' | 'objects' | 'incoming', name: string): string {
    return join(this.#folder, part, name);
  }
}

/** Keys may be longer than file names and may be a prefix of one another. */
function rowName(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`;
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
