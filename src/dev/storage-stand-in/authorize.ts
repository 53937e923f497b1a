/** Who calls: the service key may do everything, the anon key meets row-level security, others nothing. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { refuse } from './refusals.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's token is its authorization. */
    signed?: boolean;
  }
  interface FastifyRequest {
    /** What row-level security hides from the anon key looks missing, and what it forbids is refused. */
    isService: boolean;
  }
}

export interface Keys {
  readonly serviceKey: string;
  readonly anonKey: string | undefined;
}

/** Registered after the fault script, whose `forbid-as-missing` takes the service's rights away for one call. */
export const authorize = fastifyPlugin(async (app: FastifyInstance, keys: Keys) => {
  app.decorateRequest('isService', false);
  app.addHook('preHandler', async (request, reply) => {
    const { operation, signed } = request.routeOptions.config;
    if (operation === undefined || signed === true) return;
    if (request.headers['apikey'] === undefined) {
      // The gateway's answer, not the storage server's.
      return reply.code(401).send({ message: 'No API key found in request' });
    }
    const bearer = request.headers.authorization?.replace(/^Bearer\s+/i, '');
    const isService = bearer === keys.serviceKey;
    if (!isService && (bearer === undefined || bearer !== keys.anonKey)) {
      throw refuse.accessDenied('Invalid Compact JWS');
    }
    request.isService = isService && request.fault?.name !== 'forbid-as-missing';
  });
});
