/** `GET /`: for whoever comes without knowing where to go. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import manifest from '../../../package.json' with { type: 'json' };
import { rootAnswer } from '../schemas.ts';

export const rootRoute: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/',
    { config: { public: true }, schema: { hide: true, response: { 200: rootAnswer } } },
    async () => ({
      name: manifest.name,
      version: manifest.version,
      documentation: '/docs',
      description: '/openapi.json',
      api: '/v1',
      health: ['/health/live', '/health/ready', '/health/database'],
    }),
  );
};
