/**
 * Nothing personal leaves its place: words planted in names, texts, tokens and queries are looked for in every
 * payload, id, memo and attribute at Temporal, in every log line at level debug, in the rows of the timeline, in every
 * problem, in the keys of the store and in what the parser is told.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  type Answer,
  confirm,
  createPerson,
  declare,
  ended,
  type Person,
  put,
  reach,
  type SomeFile,
  upload,
} from '../support/person.ts';
import { foundIn, payloadSizesIn } from '../support/planted.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';

const PATIENCE_MS = 180_000;

const word = (kind: string) => `${kind}${randomBytes(6).toString('hex')}`;
/** What nobody but the owner, the store, the chunks and the embedder may see. */
const words = {
  name: word('name'),
  text: word('text'),
  mail: `${word('ada')}@example.org`,
  query: word('query'),
  quoted: word('quoted'),
  address: word('address'),
};

let database: TestDatabase;
let stack: Stack;
let temporal: Connection;
let planted: Record<string, string>;
const documents: Record<string, string> = {};
const problems: Answer<unknown>[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  temporal = await Connection.connect({ address: inject('temporalAddress') });
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: { LOG_LEVEL: 'debug', ERASE_SECOND_SWEEP_SECONDS: '1' },
    uploadUrlLifetimeSeconds: 1,
  });
  await stack.worker.start();
  const me = await personWithMail();
  const uploadToken = await live(me);
  planted = { ...words, ...secrets(), token: me.token.slice(-40), uploadToken };
  await fail(me);
  await beRefused(me);
  await stack.api.stop();
  await stack.worker.stop();
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await temporal.close();
  await database.close();
});

/** As Supabase signs them: the token names its person. */
async function personWithMail(): Promise<Person> {
  const { ownerId } = await stack.person();
  const token = await new SignJWT({ email: words.mail, user_metadata: { email: words.mail } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(`${stack.environment['SUPABASE_URL']}/auth/v1`)
    .setAudience('authenticated')
    .setSubject(ownerId)
    .setExpirationTime('1 h')
    .sign(new TextEncoder().encode(stack.environment['SUPABASE_JWT_SECRET']));
  return createPerson(stack.url, ownerId, token);
}

