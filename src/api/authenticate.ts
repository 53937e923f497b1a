/**
 * Every route asks for a token unless it says `config: { public: true }`, so that forgetting is safe.
 * Who is refused learns nothing but that.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { IntakeError } from '../domain/errors.ts';
import type { OwnerId } from '../domain/ids.ts';
import type { Caller } from './dependencies.ts';
import { addressOf } from './limit-requests.ts';
import type { VerifyToken } from './verify-token.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by authentication; `undefined` on public routes only. */
    ownerId: OwnerId | undefined;
    /** The caller is one of those who run Intake. */
    operator: boolean;
  }
  interface FastifyContextConfig {
    /** The route asks for no token. */
    public?: boolean;
  }
}

/** Refused tokens an address may show a minute before it is told to wait. */
const FAILURES_PER_MINUTE = 60;

export const authentication = fp(
  async (app: FastifyInstance, options: { readonly verifyToken: VerifyToken }) => {
    const countFailure = app.createRateLimit({
      max: FAILURES_PER_MINUTE,
      timeWindow: 60_000,
      keyGenerator: addressOf,
    });
    app.decorateRequest('ownerId', undefined);
    app.decorateRequest('operator', false);
    app.addHook('onRequest', async (request) => {
      if (request.is404 || request.routeOptions.config.public === true) return;
      const identity = await options.verifyToken(bearerToken(request));
      if (identity !== undefined) {
        request.ownerId = identity.ownerId;
        request.operator = identity.operator;
        return;
      }
      const failures = await countFailure(request);
      if (!failures.isAllowed && failures.isExceeded) {
        throw new IntakeError('RATE_LIMITED', { retryAfterMs: failures.ttl });
      }
      throw new IntakeError('UNAUTHENTICATED');
    });
  },
  { name: 'authentication', dependencies: ['@fastify/rate-limit'] },
);

/** For handlers: who asks. Refuses when the route is public, where nobody was asked. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.ownerId === undefined) throw new IntakeError('UNAUTHENTICATED');
  return { ownerId: request.ownerId, correlationId: request.id, operator: request.operator };
}

/** Every route of this plugin is for operators, those that somebody adds later too. */
export function forOperatorsOnly(scope: FastifyInstance): void {
  scope.addHook('preValidation', async (request) => {
    if (!request.operator) throw new IntakeError('OPERATORS_ONLY');
  });
}

/** Opens the routes of a plugin that has no place for a route's `config`. */
export function openToPublic(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, public: true };
  });
}

function bearerToken(request: FastifyRequest): string {
  return /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
