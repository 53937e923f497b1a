/** Document ids by their first characters. Only the caller's own documents are asked, and only one of them may answer. */
import { IntakeError } from '../domain/errors.ts';
import type { ApiClient } from './api-client.ts';

const UUID_LENGTH = 36;
const SHORT_ID = /^[0-9a-f]{4}[0-9a-f-]*$/;
/** As many as a person can choose from. */
const SHOWN = 5;

export function isShortId(text: string): boolean {
  return text.length < UUID_LENGTH && SHORT_ID.test(text);
}

/** The same client, which takes short ids too. One that was found stays the same document for the whole command. */
export function withShortIds(client: ApiClient): ApiClient {
  const found = new Map<string, string>();
  const whole = async (id: string) => {
    const known = found.get(id) ?? (isShortId(id) ? await findWhole(client, id) : id);
    found.set(id, known);
    return known;
  };
  return {
    ...client,
    document: async (id) => client.document(await whole(id)),
    explain: async (id) => client.explain(await whole(id)),
    retry: async (id) => client.retry(await whole(id)),
    cancel: async (id) => client.cancel(await whole(id)),
    delete: async (id) => client.delete(await whole(id)),
    search: async ({ documentIds, ...request }) =>
      client.search({
        ...request,
        ...(documentIds && { documentIds: await Promise.all(documentIds.map(whole)) }),
      }),
    operator: {
      ...client.operator,
      poll: async (id, asked) => client.operator.poll(await whole(id), asked),
      extend: async (id, asked) => client.operator.extend(await whole(id), asked),
      fail: async (id, asked) => client.operator.fail(await whole(id), asked),
      retry: async (id, asked) => client.operator.retry(await whole(id), asked),
      cancel: async (id, asked) => client.operator.cancel(await whole(id), asked),
    },
  };
}

async function findWhole(client: ApiClient, idPrefix: string): Promise<string> {
  const { documents } = await client.documents({ idPrefix, limit: SHOWN });
  const [first, ...others] = documents.map(({ documentId }) => documentId);
  if (first === undefined) throw new IntakeError('NOT_FOUND');
  if (others.length === 0) return first;
  throw new IntakeError('INVALID_REQUEST', {
    detail: `Several documents begin with ${idPrefix}: ${[first, ...others].join(', ')}`,
  });
}
