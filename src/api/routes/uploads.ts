/** Uploads in two steps: declare a file and get a signed URL, then say that the bytes are there. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { callerOf } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentCommand, presentUpload } from '../present-document.ts';
import { checkClaims } from '../receive-file.ts';
import { commandAnswer, documentParams, uploadAnswer, uploadDeclaration } from '../schemas.ts';

const tags = ['Uploads'];

export function uploadRoutes({ documents, settings }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/uploads',
      {
        schema: {
          tags,
          operationId: 'announceUpload',
          summary: 'Announce a file',
          description:
            'Answers 201 with a signed URL for a new upload, 200 with a fresh URL when the same file is still awaited, and 200 without one when its bytes are here already.',
          body: uploadDeclaration,
          response: { 200: uploadAnswer, 201: uploadAnswer },
        },
      },
      async (request, reply) => {
        const { type, ...claims } = request.body;
        const mediaType = checkClaims(type, claims.sizeBytes, settings.maxFileBytes);
        const accepted = await documents.acceptUpload(callerOf(request), { ...claims, mediaType });
        return reply.code(accepted.created ? 201 : 200).send(presentUpload(accepted));
      },
    );

    app.post(
      '/uploads/:id/confirm',
      {
        schema: {
          tags,
          operationId: 'confirmUpload',
          summary: 'Say that the bytes are there',
          description: 'Starts verification at once. Harmless when repeated.',
          params: documentParams,
          response: { 202: commandAnswer },
        },
      },
      async (request, reply) => {
        const document = await documents.confirmUpload(callerOf(request), request.params.id);
        return reply.code(202).send(presentCommand(document));
      },
    );
  };
}
