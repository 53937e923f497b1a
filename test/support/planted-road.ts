/** A person whose words could leak at every turn: on the good road, in every failure, in every refusal. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Answer,
  confirm,
  createPerson,
  declare,
  ended,
  exchange,
  look,
  type Person,
  put,
  reach,
  upload,
} from './person.ts';
import type { Stack } from './stack.ts';
import { until, untilTrue } from './until.ts';
import { sendWebhook, webhookSecrets } from './webhook.ts';

/** What nobody but the owner, the store, the chunks and the embedder may see. */
export interface Plant {
  readonly name: string;
  readonly text: string;
  readonly query: string;
  /** What vendors quote in their refusals. */
  readonly quoted: string;
  readonly address: string;
  readonly mail: string;
}

let made = 0;
function planted({ name, text }: Plant) {
  made += 1;
  return {
    name: `${name} ${made}.md`,
    content: `# Policy ${made}\n\nThe ${text} plan covers visit ${made}.\n`,
  };
}

/** Both waits on the way to the end; a second document is deleted. */
export async function takeTheRoad(stack: Stack, me: Person, plant: Plant) {
  const file = planted(plant);
  const { documentId: complete, uploadUrl = '' } = await declare(me, file);
  await confirm(me, complete);
  await untilTrue('it waits for the bytes', async () => {
    return (await look(me, complete)).waiting?.code === 'STORAGE_OBJECT_ABSENT';
  });
  await stack.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
  await put(uploadUrl, file);
  await confirm(me, complete);
  const vendorRecords = await until('the parser has a file', () => recordedFiles(stack));
  await reach(me, complete, 'complete');
  await me.send('POST', '/v1/search', { json: { query: `${plant.query} ${plant.text}` } });
  const { name, mail, address } = plant;
  const telling = { 'user-agent': mail, referer: `https://example.org/${address}`, cookie: name };
  await me.send('GET', `/v1/documents/${complete}/original`, { headers: telling });
  await me.send('GET', `/v1/documents/${complete}/markdown`);
  const deleted = await upload(me, planted(plant));
  await reach(me, deleted, 'complete');
  await me.send('DELETE', `/v1/documents/${deleted}`);
  const uploadToken = new URL(uploadUrl).searchParams.get('token') ?? '';
  return { documents: { complete, deleted }, uploadToken, vendorRecords };
}

/** What the parser writes down of the files that it has, before it is told to forget them. */
async function recordedFiles({ folders }: Stack): Promise<readonly string[] | undefined> {
  const folder = join(folders.parser, 'records/files');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const records = names.map((name) => readFile(join(folder, name), 'utf8'));
  return names.length === 0 ? undefined : Promise.all(records);
}

/** Every party fails once, and quotes what it was given. */
export async function meetFailures(stack: Stack, me: Person, plant: Plant) {
  const { storage, parser, embedding } = stack.faults;
  const body = JSON.stringify({ detail: plant.quoted, error: { message: plant.quoted } });
  const answer = (status: number) => ({ kind: 'answer', status, body }) as const;
  const end = async () => {
    const documentId = await upload(me, planted(plant));
    await ended(me, documentId);
    return documentId;
  };
  const file = planted(plant);
  const rejected = await upload(me, file, { sha256: 'a'.repeat(64) });
  await ended(me, rejected);
  await parser.add({ operation: 'parse.run', effect: { kind: 'named', name: 'fail-with-text' } });
  const unread = await end();
  await parser.add({ operation: 'parse.create', effect: answer(422) });
  const refused = await end();
  await embedding.add({ operation: 'embeddings.create', effect: answer(400) });
  const unembedded = await end();
  await storage.add({ operation: 'object.copy', effect: answer(500) });
  await parser.add({ operation: 'parse.get', effect: answer(200) });
  await embedding.add({ operation: 'embeddings.create', effect: answer(500) });
  const delayed = await end();
  return { rejected, unread, refused, unembedded, delayed };
}

/** What the API answers to requests that it refuses, with the words in every place of a request. */
export async function meetRefusals(
  stack: Stack,
  me: Person,
  plant: Plant,
): Promise<readonly Answer<unknown>[]> {
  const { name, query, quoted, address, mail } = plant;
  const json = { 'content-type': 'application/json' };
  const stranger = createPerson(stack.url, mail, `${me.token.slice(0, -20)}${address}`);
  await stack.faults.embedding.add(
    ...[400, 429, 500].map((status) => ({
      operation: 'embeddings.create',
      effect: { kind: 'answer', status, body: `{"error":{"message":"${query}"}}` } as const,
    })),
  );
  const search = { json: { query } };
  const forged = { ...webhookSecrets(stack.environment), signingSecret: quoted };
  const refusals = [
    () => me.send('POST', '/v1/search', search),
    () => me.send('POST', '/v1/search', search), // asked again after the 429
    () => me.send('POST', '/v1/search', { json: { query: `${query}\u0000`, k: -1 } }),
    () => me.send('POST', '/v1/uploads', { json: { name, type: quoted, sha256: quoted } }),
    () => me.send('POST', '/v1/uploads', { body: `{"name":"${name}`, headers: json }),
    () =>
      me.send('POST', '/v1/uploads', { body: name, headers: { 'content-type': `a/${quoted}` } }),
    () => me.send('GET', `/v1/documents/%zz${address}`),
    () => me.send('POST', `/v1/documents?name=${name}`, { headers: { 'content-type': quoted } }),
    () => me.send('GET', `/v1/documents/${address}?${query}`),
    () => me.send('GET', `/v1/documents?cursor=${address}`),
    () => me.send('GET', `/${address}?token=${quoted}`),
    () => me.send('GET', '/v1/nothing', { headers: { 'x-correlation-id': address } }),
    () => stranger.send('GET', `/v1/documents?status=${address}`),
    () => exchange(`${stack.url}/webhooks/llamaparse/${address}`, { method: 'POST' }),
    () => sendWebhook(stack.url, crypto.randomUUID(), forged),
  ];
  const answers: Answer<unknown>[] = [];
  for (const refusal of refusals) {
    const answer = await refusal();
    if (answer.status < 400) throw new Error(`not refused: ${JSON.stringify(answer.body)}`);
    answers.push(answer);
  }
  return answers;
}
