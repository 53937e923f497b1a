/**
 * Port: the blob store. An adapter throws `IntakeError` with exactly one of
 * `STORAGE_OBJECT_ABSENT` (truly absent: a control read with the same key succeeded),
 * `STORAGE_FORBIDDEN` (credentials, policy, missing bucket), `STORAGE_UNAVAILABLE` (everything that may pass by itself),
 * or `DOCUMENT_TOO_LARGE` (more bytes than the caller allowed). Missing and forbidden are never flattened into one.
 * A call whose signal is aborted rejects with the signal's own reason.
 */
import type { Readable } from 'node:stream';

export interface ObjectStat {
  readonly sizeBytes: number;
  readonly contentType: string | undefined;
  /** `undefined` when the store does not say. */
  readonly modifiedAt: Date | undefined;
}

/** What lies directly in a folder: an object, or a folder of its own. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

export interface SignedUpload {
  /** Absolute and self-sufficient: a bare PUT with a Content-Type header is enough. */
  readonly url: string;
  readonly expiresAt: Date;
}

export interface ReadOptions {
  /** Reading stops with `DOCUMENT_TOO_LARGE` beyond this many bytes. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface PutOptions {
  readonly contentType: string;
  readonly signal?: AbortSignal;
}

export interface ObjectStore {
  /** Signs an upload URL for one fresh key, without upsert. */
  signUpload(key: string, signal?: AbortSignal): Promise<SignedUpload>;
  /** Writes a key; an existing object under the same key is replaced. */
  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<void>;
  stat(key: string, signal?: AbortSignal): Promise<ObjectStat>;
  /** Streams an object; a body cut short ends in `STORAGE_UNAVAILABLE`. */
  read(key: string, options: ReadOptions): Promise<Readable>;
  /** Server-side copy. A repeated copy onto a key that exists resolves: the caller compares the bytes. */
  copy(fromKey: string, toKey: string, signal?: AbortSignal): Promise<void>;
  /** All keys below a prefix that ends with `/`, at any depth. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** What lies directly below a prefix that ends with `/`, page by page; other than `list` it never holds all of it. */
  entries(prefix: string, signal?: AbortSignal): AsyncIterable<FolderEntry>;
  /** Removes keys and confirms that each is gone. Absent keys are no error. */
  remove(keys: readonly string[], signal?: AbortSignal): Promise<void>;
}
