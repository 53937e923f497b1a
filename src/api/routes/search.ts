/** Search over the caller's complete documents. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { callerOf } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { searchAnswer, searchRequest } from '../schemas.ts';

export function searchRoutes({ search }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/search',
      {
        schema: {
          tags: ['Search'],
          operationId: 'search',
          summary: 'Passages that answer a question',
          body: searchRequest,
          response: { 200: searchAnswer },
        },
      },
      async (request) => {
        const { ownerId } = callerOf(request);
        const passages = await search(ownerId, request.body, request.abandoned);
        return {
          untrusted: true as const,
          passages: passages.map((passage) => ({
            ...passage,
            headingPath: [...passage.headingPath],
          })),
        };
      },
    );
  };
}
