/**
 * OpenAI's embeddings over loopback: the small real model where its files are installed, and lexical ones for tests.
 * The ledger's subject of a call is its inputs' hashes, so that a test can count how often a text was paid for.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { IntakeError } from '../../domain/errors.ts';
import { faultScript } from '../fault-script.ts';
import { listen, listening, type StandIn } from '../run-stand-in.ts';
import { type EmbeddingModelFiles, embeddingModelFiles } from '../tools.ts';
import { answerFaults, embeddingList, Refusal } from './answer.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { createLexicalModel } from './lexical-model.ts';
import { createMiniLmModel } from './minilm-model.ts';
import { readRequest } from './read-request.ts';

export const embeddingStandInOptions = z.strictObject({
  apiKey: z.string().min(1),
  ...listening,
  /** Files of all-MiniLM-L6-v2, unless the installed ones are meant. */
  miniLm: z.strictObject({ model: z.string(), tokenizer: z.string() }).optional(),
  /** Most threads of the real model; they start when it is first asked for. */
  threads: z.number().int().min(1).max(8).default(2),
});

export type EmbeddingStandInOptions = z.input<typeof embeddingStandInOptions>;

const operations = { 'embeddings.create': answerFaults, 'models.list': [] };

const BODY_LIMIT = 64 * 1024 * 1024;

/** Its base URL for clients is `<url>/v1`. */
export async function startEmbeddingStandIn(input: EmbeddingStandInOptions): Promise<StandIn> {
  const { apiKey, miniLm, threads, ...where } = embeddingStandInOptions.parse(input);
  const models: EmbeddingModel[] = [
    createLexicalModel('deterministic-384', 384),
    createLexicalModel('deterministic-1536', 1536),
  ];
  const files = miniLm ?? installedMiniLm();
  if (files !== undefined) models.push(createMiniLmModel(files, threads));
  const app = Fastify({ forceCloseConnections: true, bodyLimit: BODY_LIMIT });
  app.setErrorHandler((error: FastifyError | Refusal, _request, reply) => {
    const refusal =
      error instanceof Refusal ? error : new Refusal(error.statusCode ?? 500, error.message);
    return reply.code(refusal.status).send(refusal.body);
  });
  app.addHook('onClose', async () => {
    await Promise.all(models.map((model) => model.close()));
  });
  await app.register(faultScript, { operations });
  await app.register(routes, { prefix: '/v1', apiKey, models });
  return listen(app, where);
}

/** Nothing on a platform that has none. */
function installedMiniLm(): EmbeddingModelFiles | undefined {
  try {
    return embeddingModelFiles();
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'CONFIGURATION_INVALID') return undefined;
    throw error;
  }
}

/** How the ledger names an input. */
export function inputHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

interface RouteOptions {
  readonly apiKey: string;
  readonly models: readonly EmbeddingModel[];
}

async function routes(app: FastifyInstance, { apiKey, models }: RouteOptions): Promise<void> {
  app.addHook('preHandler', async ({ headers }) => {
    if (headers.authorization !== `Bearer ${apiKey}`) {
      throw new Refusal(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
    }
  });

  app.get('/models', { config: { operation: 'models.list' } }, async () => ({
    object: 'list',
    data: models.map(({ id }) => ({ id, object: 'model', created: 0, owned_by: 'intake' })),
  }));

  app.post(
    '/embeddings',
    {
      config: {
        operation: 'embeddings.create',
        subject: hashesOfInputs,
        content: (request) => inputsIn(request)?.join('\n'),
      },
    },
    async (request, reply) => {
      const { model, inputs, format } = readRequest(request.body, models);
      // Nobody computes for a caller that has hung up. (`request.signal` misses it once the body is read.)
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const embedded = await model.embed(inputs, gone.signal);
      const { fault } = request;
      const answer = embeddingList(model.id, embedded, { format, fault });
      if (fault?.name !== 'stall') return answer;
      return reply.type('application/json').send(Readable.from(startOnly(JSON.stringify(answer))));
    },
  );
}

function inputsIn({ body }: FastifyRequest): readonly string[] | undefined {
  const { data } = z.object({ input: z.array(z.string()).or(z.string()) }).safeParse(body);
  return data && [data.input].flat();
}

function hashesOfInputs(request: FastifyRequest): string | undefined {
  return inputsIn(request)?.map(inputHash).join(',');
}

async function* startOnly(text: string): AsyncGenerator<string> {
  yield text.slice(0, text.length / 2);
  await new Promise<never>(() => {});
}
