/**
 * Intake as `npm start` runs it, in a folder that is thrown away: API, worker, Postgres, Temporal and the stand-ins,
 * each a process of its own. The parser takes a fixed time, the embedder is deterministic and takes a fixed time too.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createApiClient } from '../../src/cli/api-client.ts';
import { mintUserToken } from '../../src/dev/dev-identity.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import type { RecordedCall } from '../../src/dev/fault-rules.ts';
import { type Plan, prepareStack } from '../../src/dev/prepare-stack.ts';
import { startStack, stopOrder } from '../../src/dev/start-stack.ts';
import type { StateFolder } from '../../src/dev/state-folder.ts';
import { createSupervisor } from '../../src/dev/supervisor.ts';
import { type DocumentId, ingestWorkflowId } from '../../src/domain/ids.ts';
import type { Side } from './side.ts';

export interface IntakeSettings {
  readonly folder: StateFolder;
  readonly parserDelayMs: number;
  readonly embedderDelayMs: number;
  /** Where API and worker leave their CPU profiles when they stop. */
  readonly profileFolder: string | undefined;
}

export interface Answers {
  readonly storage: number;
  readonly parser: number;
  readonly embedder: number;
  /** How long they took together, leaving out those that nobody waited for. */
  readonly ms: number;
}

export interface IntakeSide extends Side {
  readonly temporalAddress: string;
  /** By name: api, worker, postgres, temporal, storage, parser, embedding. */
  readonly pids: Readonly<Record<string, number>>;
  /** What the stand-ins have answered to API and worker so far. */
  answers(): Promise<Answers>;
  stop(): Promise<void>;
}

export async function startIntakeSide(settings: IntakeSettings): Promise<IntakeSide> {
  const { folder, parserDelayMs, embedderDelayMs } = settings;
  const plan = await planFor(settings);
  const pids: Record<string, number> = {};
  const supervisor = createSupervisor({
    spawned: ({ name, pid }) => {
      pids[name] = pid;
    },
    died: ({ name, reason }) => console.error(`${name} ${reason}`),
    revived: (name) => console.error(`${name} runs again: the figures are worth nothing`),
  });
  const stop = () => supervisor.stop(stopOrder);
  try {
    await startStack({ plan, folder, supervisor, mayChangeRemote: false, ready: () => undefined });
    const standIns = {
      storage: createFaultClient(plan.config.SUPABASE_URL),
      parser: createFaultClient(plan.config.LLAMA_CLOUD_BASE_URL),
      embedder: createFaultClient(plan.config.EMBEDDINGS_URL),
    };
    await always(standIns.parser, 'parse.run', parserDelayMs);
    await always(standIns.embedder, 'embeddings.create', embedderDelayMs);
    return {
      name: 'intake',
      temporalAddress: `127.0.0.1:${plan.ports.temporal}`,
      pids,
      announce: await announcer(plan),
      answers: () => answersOf(standIns),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The local stack's plan with the limits of one person lifted. */
async function planFor({ folder, profileFolder }: IntakeSettings): Promise<Plan> {
  const { PATH, HOME, TMPDIR } = process.env;
  const plan = await prepareStack({ PATH, HOME, TMPDIR }, folder);
  const environment = {
    ...plan.environment,
    EMBEDDINGS_MODEL: 'deterministic-384',
    MAX_UNFINISHED_UPLOADS: '100000',
    MAX_RESERVED_BYTES: '100000000000',
    MAX_REQUESTS_PER_MINUTE: '1000000',
    // Nobody but a confirm wakes a document.
    UPLOAD_START_DELAY_SECONDS: '3600',
    ...(profileFolder && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }),
  };
  return { ...plan, environment };
}

async function always(standIn: FaultClient, operation: string, ms: number): Promise<void> {
  await standIn.add({ operation, times: 'always', effect: { kind: 'delay', ms } });
}

/** Not a call of API or worker: the bench's own upload, and what the parser does by itself. */
const foreign = /^(object\.signed-upload|parse\.(run|paid|cached)|webhook\.deliver)$/;
/** The worker deletes at the parser while it chunks. */
const besides = /^(parse|file)\.delete$/;

async function answersOf(
  standIns: Readonly<Record<'storage' | 'parser' | 'embedder', FaultClient>>,
): Promise<Answers> {
  const storage = await answered(standIns.storage);
  const parser = await answered(standIns.parser);
  const embedder = await answered(standIns.embedder);
  const awaited = [...storage, ...parser, ...embedder].filter(
    ({ operation }) => !besides.test(operation),
  );
  return {
    storage: storage.length,
    parser: parser.length,
    embedder: embedder.length,
    ms: awaited.reduce((sum, { ms = 0 }) => sum + ms, 0),
  };
}

async function answered(standIn: FaultClient): Promise<readonly RecordedCall[]> {
  const { calls } = await standIn.ledger();
  return calls.filter(({ operation }) => !foreign.test(operation));
}

/** As many as keep the queue of each short. */
const OWNERS = 25;

async function announcer({ secrets, config, apiUrl }: Plan): Promise<Side['announce']> {
  const tokens = await Promise.all(
    Array.from({ length: OWNERS }, () =>
      mintUserToken(secrets.jwtSecret, { id: randomUUID(), supabaseUrl: config.SUPABASE_URL }),
    ),
  );
  const owners = tokens.map((token) => createApiClient({ url: apiUrl, token }));
  let made = 0;
  return async () => {
    const owner = owners[made % OWNERS] ?? owners[0];
    made += 1;
    if (owner === undefined) throw new Error('no owner');
    const content = policy(made);
    const { documentId, uploadUrl } = await owner.declareUpload({
      name: 'policy.md',
      type: 'text/markdown',
      sizeBytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    return {
      workflowId: ingestWorkflowId(documentId as DocumentId),
      upload: () => put(uploadUrl ?? '', content),
      confirm: async () => {
        await owner.confirmUpload(documentId);
      },
    };
  };
}

async function put(url: string, content: string): Promise<void> {
  const headers = { 'content-type': 'text/markdown' };
  const response = await fetch(url, { method: 'PUT', headers, body: content });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`upload answered ${response.status}`);
}

/** About 2 KB in five sections, which are one sub-batch. */
function policy(number: number): string {
  const clause = 'The plan covers dental care after a deductible, and asks for a copayment. ';
  const sections = ['Cover', 'Limits', 'Claims', 'Appeals', 'Contact'].map(
    (title) => `## ${title}\n\n${clause.repeat(5)}See clause ${number}.\n`,
  );
  return [`# Policy ${number} of ${randomUUID()}\n`, ...sections].join('\n');
}
