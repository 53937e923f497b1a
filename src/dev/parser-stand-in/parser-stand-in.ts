/**
 * LlamaParse v2's HTTP on loopback: reads real documents without a network, remembers jobs and results on disk,
 * sends signed webhooks. What the vendor documents is done as documented; what is unknown is done the harder way.
 */
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultScript } from '../fault-script.ts';
import { listen, listening, type StandIn } from '../run-stand-in.ts';
import { createDocumentReader } from './document-reader.ts';
import { fileRoutes } from './file-routes.ts';
import { createJobRunner } from './job-runner.ts';
import { unpackOcrData } from './ocr-data.ts';
import { createFaults, getFaults, parseRoutes } from './parse-routes.ts';
import { openRecordStore } from './record-store.ts';
import { answerRefusals, Refusal } from './refusal.ts';
import { runFaults } from './run-faults.ts';
import { createWebhookSender, webhookFaults } from './webhook-sender.ts';

const milliseconds = (fallback: number) => z.number().int().positive().default(fallback);

export const parserStandInOptions = z.strictObject({
  dataFolder: z.string().min(1),
  apiKey: z.string().min(1),
  ...listening,
  /** Documents read at once, each in a process of its own. */
  concurrency: z.number().int().min(1).max(8).default(1),
  maxPages: z.number().int().positive().default(2_000),
  maxMarkdownBytes: z.number().int().positive().default(52_428_800),
  /** Whether pages that are pictures are read. */
  ocr: z.boolean().default(true),
  /** Address space of a reading process: 3 GiB. */
  memoryKib: z.number().int().positive().default(3_145_728),
  deadline: z
    .strictObject({
      baseMs: milliseconds(10_000),
      perPageMs: milliseconds(50),
      perOcrPageMs: milliseconds(20_000),
    })
    .prefault({}),
});
export type ParserStandInOptions = z.input<typeof parserStandInOptions>;

/** `parse.run` and `webhook.deliver` happen without a request; the ledger also counts `parse.paid` and `parse.cached`. */
const operations = {
  'file.create': [],
  'file.list': [],
  'file.delete': [],
  'parse.create': createFaults,
  'parse.list': [],
  'parse.versions': [],
  'parse.get': getFaults,
  'parse.cancel': [],
  'parse.delete': [],
  'parse.run': runFaults,
  'webhook.deliver': webhookFaults,
};

const PROJECT_ID = '00000000-0000-4000-8000-000000000000';
const MAX_BODY_BYTES = 128 * 1024 * 1024;

export async function startParserStandIn(input: ParserStandInOptions): Promise<StandIn> {
  const options = parserStandInOptions.parse(input);
  const { dataFolder, concurrency, memoryKib, deadline } = options;
  const app = Fastify({ forceCloseConnections: true, bodyLimit: MAX_BODY_BYTES });
  answerRefusals(app);
  await app.register(faultScript, { operations });

  const store = openRecordStore(join(dataFolder, 'records'));
  const webhooks = createWebhookSender(app, store);
  const runner = createJobRunner({
    app,
    store,
    webhooks,
    reader: createDocumentReader({ concurrency, limits: { memoryKib, deadline } }),
    maxPages: options.maxPages,
    maxMarkdownBytes: options.maxMarkdownBytes,
    ocrDataFolder: options.ocr ? unpackOcrData(dataFolder) : undefined,
  });
  app.addHook('onClose', async () => {
    await runner.close();
    await webhooks.close();
  });
  await app.register(async (api) => {
    requireKey(api, options.apiKey);
    await api.register(fileRoutes, { prefix: '/api/v1/beta/files', store, projectId: PROJECT_ID });
    await api.register(parseRoutes, {
      prefix: '/api/v2/parse',
      store,
      runner,
      webhooks,
      projectId: PROJECT_ID,
    });
  });
  const standIn = await listen(app, options);
  runner.resume();
  return standIn;
}

function requireKey(api: FastifyInstance, apiKey: string): void {
  api.addHook('onRequest', async ({ headers }) => {
    if (headers.authorization !== `Bearer ${apiKey}`) throw new Refusal(401, 'Invalid API key');
  });
}
