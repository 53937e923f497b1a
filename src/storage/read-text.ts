/** Reads a whole text object of bounded size. */
import { text } from 'node:stream/consumers';
import type { ObjectStore, ReadOptions } from './object-store.ts';

export async function readText(
  store: ObjectStore,
  key: string,
  options: ReadOptions,
): Promise<string> {
  return await text(await store.read(key, options));
}
