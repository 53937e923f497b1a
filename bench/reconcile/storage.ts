/**
 * A storage that knows nothing but names: the stand-in walks all of its objects for every list, which at this number
 * would be all that is measured. Answers lists, facts of objects and the bucket, as Supabase Storage words them.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { json } from 'node:stream/consumers';

interface ListBody {
  readonly prefix: string;
  readonly limit: number;
  readonly offset: number;
}

export interface NamedStorage {
  readonly server: Server;
  calls(): number;
}

export function createNamedStorage(keys: Iterable<string>): NamedStorage {
  const folders = foldersOf(keys);
  let calls = 0;
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const { url = '', method } = request;
    if (url.includes('/object/list/')) {
      const { prefix, limit, offset } = (await json(request)) as ListBody;
      return (folders.get(prefix) ?? []).slice(offset, offset + limit);
    }
    if (url.includes('/object/info/')) {
      return {
        size: 1000,
        last_modified: '2026-01-01T00:00:00.000Z',
        content_type: 'text/markdown',
      };
    }
    return method === 'GET' ? { id: 'files', name: 'files', public: false } : [];
  };
  const server = createServer((request, response) => {
    calls += 1;
    void answer(request).then((body) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  return { server, calls: () => calls };
}

interface Entry {
  readonly name: string;
  readonly id: string | null;
}

/** By prefix with its slash, in the order of names. */
function foldersOf(keys: Iterable<string>): ReadonlyMap<string, readonly Entry[]> {
  const names = new Map<string, Map<string, Entry>>();
  for (const key of keys) {
    const parts = key.split('/');
    for (const [depth, name] of parts.entries()) {
      const prefix = `${parts.slice(0, depth).join('/')}/`;
      const folder = names.get(prefix) ?? new Map<string, Entry>();
      names.set(prefix, folder);
      folder.set(name, { name, id: depth === parts.length - 1 ? key : null });
    }
  }
  const inOrder = (folder: ReadonlyMap<string, Entry>) =>
    [...folder.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(Array.from(names, ([prefix, folder]) => [prefix, inOrder(folder)]));
}
