/** Adapter: the blob store on Supabase Storage. A call that its caller aborts ends in the signal's own reason. */
import { Readable } from 'node:stream';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { controlRead, translateStorageError } from './control-read.ts';
import { checkedKey, checkedPrefix } from './object-key.ts';
import type {
  FolderEntry,
  ObjectStat,
  ObjectStore,
  PutOptions,
  ReadOptions,
  SignedUpload,
} from './object-store.ts';
import { readBody } from './read-body.ts';
import {
  createStorageSession,
  isFailure,
  type StorageSession,
  type StorageSessionOptions,
} from './storage-session.ts';

export interface SupabaseObjectStoreOptions extends StorageSessionOptions {
  /** Longest transfer of one object's bytes. */
  readonly transferTimeoutMs?: number;
}

const LIST_PAGE = 100;
const REMOVE_BATCH = 1000;

const tokenSchema = z.object({ exp: z.number() });
const infoSchema = z.object({
  size: z.number().int().nonnegative(),
  contentType: z.string().nullish(),
  lastModified: z.iso.datetime({ offset: true }).nullish(),
  createdAt: z.iso.datetime({ offset: true }).nullish(),
});
const removedSchema = z.array(z.object({ name: z.string() }));
const rowsSchema = z.array(z.object({ name: z.string().min(1), id: z.string().nullable() }));

export class SupabaseObjectStore implements ObjectStore {
  readonly #session: StorageSession;
  readonly #bucket: string;
  readonly #transferTimeoutMs: number;

  constructor(options: SupabaseObjectStoreOptions) {
    this.#session = createStorageSession(options);
    this.#bucket = options.bucket;
    this.#transferTimeoutMs = options.transferTimeoutMs ?? 300_000;
  }

  signUpload(key: string, signal?: AbortSignal): Promise<SignedUpload> {
    return this.#translated(signal, async () => {
      const signed = await this.#session.send(
        (files) => files.createSignedUploadUrl(checkedKey(key)),
        { signal },
      );
      const { exp } = tokenSchema.parse(decodeJwt(signed.token));
      return { url: signed.signedUrl, expiresAt: new Date(exp * 1000) };
    });
  }

  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<void> {
    const { contentType, signal } = options;
    return this.#translated(signal, async () => {
      try {
        await this.#session.send(
          (files) => files.upload(checkedKey(key), body, { contentType, upsert: true }),
          { signal, timeoutMs: this.#transferTimeoutMs },
        );
      } catch (error) {
        // When the caller's own stream broke, its error is the reason.
        throw body instanceof Readable && body.errored !== null ? body.errored : error;
      }
    });
  }

  stat(key: string, signal?: AbortSignal): Promise<ObjectStat> {
    return this.#translated(signal, async () => {
      const info = await this.#session.send((files) => files.info(checkedKey(key)), { signal });
      const { size, contentType, lastModified, createdAt } = infoSchema.parse(info);
      const changed = lastModified ?? createdAt;
      return {
        sizeBytes: size,
        contentType: contentType ?? undefined,
        modifiedAt: changed ? new Date(changed) : undefined,
      };
    });
  }

  read(key: string, { maxBytes, signal }: ReadOptions): Promise<Readable> {
    return this.#translated(signal, async () => {
      const { data, headers, deadline } = await this.#session.open(
        (files) => files.download(checkedKey(key)).asStream(),
        { signal },
      );
      try {
        const length = headers.get('content-length');
        const sizeBytes =
          length === null ? (await this.stat(key, signal)).sizeBytes : Number(length);
        if (sizeBytes > maxBytes) throw new IntakeError('DOCUMENT_TOO_LARGE');
        deadline.restart(this.#transferTimeoutMs);
        const body = readBody(data, { sizeBytes, maxBytes, callerSignal: signal });
        return body.once('close', () => deadline.end());
      } catch (error) {
        deadline.end();
        throw error;
      }
    });
  }

  copy(fromKey: string, toKey: string, signal?: AbortSignal): Promise<void> {
    return this.#translated(signal, async () => {
      try {
        await this.#session.send((files) => files.copy(checkedKey(fromKey), checkedKey(toKey)), {
          signal,
        });
      } catch (error) {
        if (!isFailure(error, 'exists')) throw error;
      }
    });
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#translated(signal, async () => {
      const keys = await this.#keysBelow(checkedPrefix(prefix), signal);
      if (keys.length === 0) await this.#controlRead(signal);
      return keys;
    });
  }

  async *entries(prefix: string, signal?: AbortSignal): AsyncIterable<FolderEntry> {
    checkedPrefix(prefix);
    for (let offset = 0; ; offset += LIST_PAGE) {
      const page = await this.#translated(signal, async () => {
        const found = await this.#page(prefix, { offset, signal });
        if (offset === 0 && found.length === 0) await this.#controlRead(signal);
        return found;
      });
      yield* page;
      if (page.length < LIST_PAGE) return;
    }
  }

  remove(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#translated(signal, async () => {
      const unconfirmed = new Set(keys);
      for (let start = 0; start < keys.length; start += REMOVE_BATCH) {
        const batch = keys.slice(start, start + REMOVE_BATCH).map(checkedKey);
        const answer = await this.#session.send((files) => files.remove(batch), { signal });
        for (const { name } of removedSchema.parse(answer)) unconfirmed.delete(name);
      }
      // A refused removal names nothing, and neither does one of keys that were absent.
      for (const key of unconfirmed) await this.#confirmMissing(key, signal);
      if (unconfirmed.size > 0) await this.#controlRead(signal);
    });
  }

  async #keysBelow(prefix: string, signal: AbortSignal | undefined): Promise<string[]> {
    const keys: string[] = [];
    for (let offset = 0; ; offset += LIST_PAGE) {
      const page = await this.#page(prefix, { offset, signal });
      for (const { name, isFolder } of page) {
        if (isFolder) keys.push(...(await this.#keysBelow(`${prefix}${name}/`, signal)));
        else keys.push(`${prefix}${name}`);
      }
      if (page.length < LIST_PAGE) return keys;
    }
  }

  async #page(
    prefix: string,
    { offset, signal }: { readonly offset: number; readonly signal: AbortSignal | undefined },
  ): Promise<readonly FolderEntry[]> {
    const page = await this.#session.send(
      (files) => files.list(prefix, { limit: LIST_PAGE, offset }),
      { signal },
    );
    // A row without an id is a folder.
    return rowsSchema.parse(page).map(({ name, id }) => ({ name, isFolder: id === null }));
  }

  async #confirmMissing(key: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#session.send((files) => files.info(key), { signal });
    } catch (error) {
      if (isFailure(error, 'missing')) return;
      throw error;
    }
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'an object outlived its removal' });
  }

  #controlRead(signal: AbortSignal | undefined): Promise<void> {
    return controlRead({ session: this.#session, bucket: this.#bucket, signal });
  }

  async #translated<Result>(
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const control = { session: this.#session, bucket: this.#bucket, signal };
      throw await translateStorageError(error, control);
    }
  }
}
