/** Which database this API works on, without telling where that is: `intake doctor` holds it against the worker's. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ApiDependencies } from '../dependencies.ts';
import { fingerprintAnswer } from '../schemas.ts';

export function fingerprintRoute({ databaseFingerprint }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/health/database',
      {
        config: { public: true },
        logLevel: 'warn',
        schema: {
          tags: ['Health'],
          operationId: 'database',
          summary: 'Which database is worked on',
          response: { 200: fingerprintAnswer },
        },
      },
      async () => ({ fingerprint: await databaseFingerprint() }),
    );
  };
}
