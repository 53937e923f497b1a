/** One document's life as its owner brings it about: a client that tries again until it is heard, as clients do. */
import { randomUUID } from 'node:crypto';
import { type Accepted, declaration, exchange, type Person, type Seen } from '../support/person.ts';
import { until, untilTrue } from '../support/until.ts';
import type { Ground } from './ground.ts';

/** In every name and text, so that it can be looked for where neither may stand. */
export const CANARY = 'zebrafinch';

export interface SomeDocument {
  readonly name: string;
  readonly content: string;
}

/** Three sub-batches, no two chunks alike, no two documents alike. */
export function someDocument(): SomeDocument {
  const word = randomUUID();
  const sections = Array.from(
    { length: 10 },
    (_, n) =>
      `# ${CANARY} ${n}\n\n${`The copayment of section ${n} in policy ${word} is ${n} dollars. `.repeat(10)}\n`,
  );
  return { name: `${CANARY}-${word}.md`, content: sections.join('\n') };
}

/** Declares, uploads and confirms; answers the document's id. */
export async function bring(person: Person, document: SomeDocument): Promise<string> {
  return await confirmed(person, document, await declared(person, document));
}

export function declared(person: Person, file: SomeDocument): Promise<Accepted> {
  return until('the declaration is heard', async () => {
    const answer = await person
      .send<Accepted>('POST', '/v1/uploads', { json: declaration(file) })
      .catch(() => undefined);
    return answer !== undefined && answer.status < 300 ? answer.body : undefined;
  });
}

export async function confirmed(
  person: Person,
  document: SomeDocument,
  accepted: Accepted,
): Promise<string> {
  const { documentId } = accepted;
  let { uploadUrl } = accepted;
  while (uploadUrl !== undefined && !(await isPut(uploadUrl, document))) {
    ({ uploadUrl } = await declared(person, document)); // a fresh URL
  }
  await untilTrue('the confirm is heard', () =>
    heard(() => person.send('POST', `/v1/uploads/${documentId}/confirm`)),
  );
  return documentId;
}

function isPut(url: string, { content }: SomeDocument): Promise<boolean> {
  const headers = { 'content-type': 'text/markdown' };
  return heard(() => exchange(url, { method: 'PUT', headers, body: content }));
}

async function heard(send: () => Promise<{ readonly status: number }>): Promise<boolean> {
  return await send().then(
    ({ status }) => status < 300,
    () => false,
  );
}

/** Waits for the end of the document and of its run. */
export async function untilSettled(
  ground: Ground,
  person: Person,
  documentId: string,
): Promise<Seen> {
  const seen = await until(`${documentId} has ended`, async () => {
    const answer = await person
      .send<Seen>('GET', `/v1/documents/${documentId}`)
      .catch(() => undefined);
    return answer?.status === 200 && answer.body.endedAt !== undefined ? answer.body : undefined;
  });
  await untilTrue(`the run of ${documentId} has closed`, async () => {
    const run = await ground.temporal.workflow
      .getHandle(`ingest/${documentId}`)
      .describe()
      .catch(() => undefined);
    return run !== undefined && run.status.name !== 'RUNNING';
  });
  return seen;
}
