/** How often one may ask: per owner where there is one, per address on public routes. */
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { IntakeError } from '../domain/errors.ts';

/** Public routes are pages, documentation and health; many people may share one address. */
const PUBLIC_REQUESTS_PER_MINUTE = 600;

/** An IPv6 caller owns a whole /64, so that is what is counted. */
export function addressOf(request: FastifyRequest): string {
  return normalizeIP(request.ip);
}

export const requestLimits = fp(
  async (app: FastifyInstance, options: { readonly maxRequestsPerMinute: number }) => {
    await app.register(rateLimit, {
      timeWindow: 60_000,
      keyGenerator: (request) => request.ownerId ?? addressOf(request),
      max: (request) =>
        request.ownerId === undefined ? PUBLIC_REQUESTS_PER_MINUTE : options.maxRequestsPerMinute,
      errorResponseBuilder: (_request, limit) =>
        new IntakeError('RATE_LIMITED', { retryAfterMs: limit.ttl }),
    });
  },
  { name: 'request-limits' },
);
