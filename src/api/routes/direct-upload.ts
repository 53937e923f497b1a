/** Upload in one step: the body is the file and is streamed through, never held whole. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { mediaTypes } from '../../domain/media-types.ts';
import { TRANSFER_DEADLINE_MS } from '../answer-deadline.ts';
import { callerOf } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentCommand } from '../present-document.ts';
import { boundedBody, checkClaims } from '../receive-file.ts';
import { bytes, commandAnswer, fileHeaders, fileQuery } from '../schemas.ts';

export function directUploadRoutes({
  documents,
  settings,
}: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));

    app.post(
      '/documents',
      {
        config: { deadlineMs: TRANSFER_DEADLINE_MS },
        schema: {
          tags: ['Uploads'],
          operationId: 'sendFile',
          summary: 'Send a file',
          description:
            'The body is the file, its Content-Type the type. Answers 201 when a new attempt began, 200 when the same file was here already.',
          consumes: Object.keys(mediaTypes),
          headers: fileHeaders,
          querystring: fileQuery,
          body: bytes,
          response: { 200: commandAnswer, 201: commandAnswer },
        },
      },
      async (request, reply) => {
        const { headers } = request;
        const sizeBytes = lengthOf(headers['content-length']);
        const mediaType = checkClaims(
          headers['content-type'] ?? '',
          sizeBytes,
          settings.maxFileBytes,
        );
        const accepted = await documents.ingestBytes(callerOf(request), {
          name:
            headers['x-document-name'] ??
            request.query.name ??
            `document.${mediaTypes[mediaType].extension}`,
          mediaType,
          sizeBytes,
          sha256: headers['x-content-sha256'],
          content: boundedBody(request.raw, settings.maxFileBytes),
        });
        return reply.code(accepted.created ? 201 : 200).send(presentCommand(accepted));
      },
    );
  };
}

/** Node has refused what is no number; a chunked body has none. */
function lengthOf(header: string | undefined): number | undefined {
  return header === undefined ? undefined : Number(header);
}
