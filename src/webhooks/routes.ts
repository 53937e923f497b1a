/**
 * `POST /webhooks/llamaparse/:token`: prove the token, prove the raw bytes, read, remember, signal, answer 202.
 * Whoever fails the first proof costs one HMAC: neither the body nor the database is read. Nothing here logs the token.
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import type { ParseJobId } from '../domain/ids.ts';
import { type Keys, readCallbackToken } from './callback-token.ts';
import { readEvent } from './events.ts';
import { type EventOutcome, type EventPorts, handleEvent } from './handle-event.ts';
import { isSignedBy } from './verify-signature.ts';

export interface WebhookDependencies extends EventPorts {
  readonly tokenKeys: Keys;
  readonly signingSecrets: Keys;
  /** Told of every call, once. */
  readonly countEvent: (outcome: CallOutcome) => void;
}

/** What came of a call: an event that passed both proofs, or the proof that it failed. */
export type CallOutcome =
  | EventOutcome
  | 'undelivered'
  | 'bad_token'
  | 'bad_signature'
  | 'unreadable';

const MAX_BODY_BYTES = 262_144;

interface WebhookRoute {
  Params: { token: string };
}

export function webhookRoutes(dependencies: WebhookDependencies): FastifyPluginAsync {
  const { countEvent, tokenKeys, signingSecrets } = dependencies;
  const refused = (outcome: CallOutcome, code: ErrorCode): IntakeError => {
    countEvent(outcome);
    return new IntakeError(code);
  };
  const provenJob = (token: string): ParseJobId => {
    const parseJobId = readCallbackToken(token, tokenKeys);
    if (parseJobId === undefined) throw refused('bad_token', 'NOT_FOUND');
    return parseJobId;
  };

  return async (app) => {
    keepRawBody(app);
    app.post<WebhookRoute>(
      '/webhooks/llamaparse/:token',
      {
        // A burst of documents is a burst of webhooks from one address.
        config: { public: true, rateLimit: false },
        schema: { hide: true },
        onRequest: async (request) => {
          provenJob(request.params.token);
        },
      },
      async (request, reply) => {
        const parseJobId = provenJob(request.params.token);
        const rawBody = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
        const signature = request.headers['lc-signature'];
        if (typeof signature !== 'string' || !isSignedBy(rawBody, signature, signingSecrets)) {
          throw refused('bad_signature', 'UNAUTHENTICATED');
        }
        const event = readEvent(rawBody, new Date());
        if (event === undefined) throw refused('unreadable', 'INVALID_REQUEST');
        const outcome = await handleEvent(parseJobId, event, dependencies).catch(
          (error: unknown) => {
            countEvent('undelivered');
            throw error;
          },
        );
        countEvent(outcome);
        request.log.info({ parseJobId, eventId: event.eventId, outcome }, 'parser event');
        if (outcome === 'unknown_job') throw new IntakeError('NOT_FOUND');
        return reply.code(202).send();
      },
    );
  };
}

/** The signature covers the bytes as they came. */
function keepRawBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'text/plain'],
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (_request, body, done) => done(null, body),
  );
}
