/** Documents in each wait of the road, each with what lets it go on. */
import type { Pool } from '../../src/db/pool.ts';
import { confirm, declare, look, type Person, put, reach, upload } from '../support/person.ts';
import type { Stack } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';
import { loseWebhook, sendWebhook, untilParsed, webhookSecrets } from '../support/webhook.ts';

export interface Held {
  readonly wait: 'start delay' | 'bytes' | 'webhook' | 'embedder';
  readonly documentId: string;
  release(): Promise<void>;
}

export interface Scene {
  readonly stack: Stack;
  readonly pool: Pool;
  readonly person: Person;
}

/** `word` makes their contents differ from those of other calls. */
export async function holdInEachWait(scene: Scene, word: string): Promise<readonly Held[]> {
  return [
    await inStartDelay(scene, `${word} delayed`),
    await forBytes(scene, `${word} absent`),
    await forWebhook(scene, `${word} parsed`),
    await forEmbedder(scene, `${word} embedded`),
  ];
}

export function policy(word: string) {
  return { content: `# Policy\n\nThe copayment of the one that is ${word} is 20 dollars.\n` };
}

/** No worker has had it in its hands. */
async function inStartDelay({ person }: Scene, word: string): Promise<Held> {
  const file = policy(word);
  const { documentId, uploadUrl } = await declare(person, file);
  const release = async () => {
    await put(uploadUrl, file);
    await confirm(person, documentId);
  };
  return { wait: 'start delay', documentId, release };
}

async function forBytes(scene: Scene, word: string): Promise<Held> {
  const held = await inStartDelay(scene, word);
  await confirm(scene.person, held.documentId);
  await untilTrue('the looks are over', async () => {
    const { waiting } = await look(scene.person, held.documentId);
    return waiting?.code === 'STORAGE_OBJECT_ABSENT' && (await looks(scene, held.documentId)) === 4;
  });
  return { ...held, wait: 'bytes' };
}

async function looks({ pool }: Scene, documentId: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ looks: number }>(
    'select looks from intake.attempts where document_id = $1',
    [documentId],
  );
  return rows[0]?.looks;
}

async function forWebhook({ stack, pool, person }: Scene, word: string): Promise<Held> {
  await stack.faults.parser.add(loseWebhook);
  const documentId = await upload(person, policy(word));
  const parseJobId = await untilParsed(stack, pool, documentId);
  const release = async () => {
    await sendWebhook(stack.url, parseJobId, webhookSecrets(stack.environment));
  };
  return { wait: 'webhook', documentId, release };
}

/** Twenty sub-batches, each answered slowly until it is let go. */
async function forEmbedder({ stack, person }: Scene, word: string): Promise<Held> {
  await stack.faults.embedding.add({
    operation: 'embeddings.create',
    times: 'always',
    effect: { kind: 'delay', ms: 5_000 },
  });
  const sections = Array.from(
    { length: 160 },
    (_, n) => `# ${n} ${word}\n\n${policy(word).content}`,
  );
  const documentId = await upload(person, { content: sections.join('\n') });
  await reach(person, documentId, 'embedding_in_progress');
  return { wait: 'embedder', documentId, release: () => stack.faults.embedding.clear() };
}
