/** What the caller may send, and how much of it is used up. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { mediaTypes } from '../../domain/media-types.ts';
import { callerOf } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { limitsAnswer } from '../schemas.ts';

export function limitRoutes({ documents, settings }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/limits',
      {
        schema: {
          tags: ['Uploads'],
          operationId: 'readLimits',
          summary: 'What may be sent, and what is left',
          response: { 200: limitsAnswer },
        },
      },
      async (request) => ({
        types: Object.keys(mediaTypes),
        maxFileBytes: settings.maxFileBytes,
        maxRequestsPerMinute: settings.maxRequestsPerMinute,
        ...(await documents.usage(callerOf(request))),
      }),
    );
  };
}
