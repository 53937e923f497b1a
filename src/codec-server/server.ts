/**
 * Temporal's codec server protocol: the Web UI and the CLI send payloads as they lie in Temporal and get them readable.
 * Whoever may ask it reads everything, so it asks for a token, answers one origin, and writes down who read what.
 */
import rateLimit from '@fastify/rate-limit';
import type { PayloadCodec } from '@temporalio/common';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { keyIdOf } from '../temporal/payload-codec.ts';
import { type JsonPayload, jsonPayloads, payloadOf, toJson } from './json-payload.ts';
import type { Reader, VerifyReader } from './verify-reader.ts';

export interface CodecServerOptions {
  /** Encrypts, whatever the switch says: what an operator sends into Temporal is not to lie there readable. */
  readonly codec: PayloadCodec;
  readonly verifyReader: VerifyReader;
  readonly namespace: string;
  readonly corsOrigin: string;
  readonly logger: Logger;
}

type Operation = 'encode' | 'decode';

declare module 'fastify' {
  interface FastifyRequest {
    reader: Reader | undefined;
  }
}

const BODY_LIMIT = 8 * 1024 * 1024;
const MAX_REQUESTS_PER_MINUTE = 300;
/** Without payloads the field is missing. */
const body = z.object({ payloads: jsonPayloads.default([]) });

export function buildCodecServer(options: CodecServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.logger;
  const logController = new LogController({ disableRequestLogging: true });
  const app = fastify({ loggerInstance, logController, bodyLimit: BODY_LIMIT });
  app.decorateRequest('reader', undefined);
  app.setErrorHandler(refuse);
  app.get('/health/live', async () => ({ status: 'live' }));
  app.register(async (routes) => {
    routes.addHook('onRequest', (request, reply) =>
      allowOrigin(options.corsOrigin, request, reply),
    );
    await routes.register(rateLimit, { max: MAX_REQUESTS_PER_MINUTE, timeWindow: '1 minute' });
    // The CLI may name the namespace in the path.
    for (const path of ['', '/:namespace']) {
      routes.options(`${path}/:operation`, async (_request, reply) => reply.code(204).send());
      for (const operation of ['encode', 'decode'] as const) {
        routes.post(`${path}/${operation}`, {
          preValidation: (request) => authorize(options, operation, request),
          handler: (request) => convert(options, operation, request),
        });
      }
    }
  });
  return app;
}

/** Programs send no origin; a page of another one is told nothing. */
async function allowOrigin(
  corsOrigin: string,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (headers.origin === undefined) return;
  if (headers.origin !== corsOrigin) throw new Refusal(403, 'another origin');
  reply.headers({
    'access-control-allow-origin': corsOrigin,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type, x-namespace',
    'access-control-max-age': '600',
    vary: 'origin',
  });
}

async function authorize(
  { verifyReader, namespace }: CodecServerOptions,
  operation: Operation,
  request: FastifyRequest,
): Promise<void> {
  const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const reader = token === undefined ? undefined : await verifyReader(token);
  if (reader === undefined) throw new Refusal(401, 'no valid token');
  request.reader = reader;
  if (request.headers['x-namespace'] !== namespace) throw new Refusal(403, 'another namespace');
  if (!(operation === 'decode' ? reader.mayDecode : reader.mayEncode))
    throw new Refusal(403, 'not permitted');
}

async function convert(
  { codec, logger }: CodecServerOptions,
  operation: Operation,
  { body: sent, reader }: FastifyRequest,
): Promise<{ payloads: JsonPayload[] }> {
  const parsed = body.safeParse(sent);
  if (!parsed.success) throw new Refusal(400, 'no payloads');
  const payloads = parsed.data.payloads.map(payloadOf);
  const keyIds = [...new Set(payloads.map(keyIdOf).filter((id) => id !== undefined))];
  const entry = { subject: reader?.subject, operation, payloads: payloads.length, keyIds };
  logger.info(entry, 'payloads read');
  return { payloads: (await codec[operation](payloads)).map(toJson) };
}

class Refusal extends Error {
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** The reason is for the log: whoever asks in vain learns no more than the status. */
function refuse(
  error: FastifyError | IntakeError | Refusal,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const status = statusOf(error);
  request.log.warn(
    { err: error, reason: error.message, status, subject: request.reader?.subject },
    'refused',
  );
  return reply.code(status).send({ status });
}

function statusOf(error: FastifyError | IntakeError | Refusal): number {
  if (!(error instanceof IntakeError)) return error.statusCode ?? 500;
  return error.code === 'PAYLOAD_UNREADABLE' ? 422 : 503;
}
