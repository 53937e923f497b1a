/** The original and its Markdown, as attachments that a browser neither sniffs nor renders. */
import { create as contentDisposition } from 'content-disposition';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { TRANSFER_DEADLINE_MS } from '../answer-deadline.ts';
import { callerOf } from '../authenticate.ts';
import type { ApiDependencies, StoredFile } from '../dependencies.ts';
import { bytes, documentParams } from '../schemas.ts';

export function downloadRoutes({ documents }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    const transfer = {
      config: { deadlineMs: TRANSFER_DEADLINE_MS },
      // A HEAD would open the object and throw its bytes away.
      exposeHeadRoute: false,
    };
    const schema = { tags: ['Documents'], params: documentParams };

    app.get(
      '/documents/:id/original',
      {
        ...transfer,
        schema: {
          ...schema,
          operationId: 'downloadOriginal',
          summary: 'The uploaded file',
          response: attachment('application/octet-stream'),
        },
      },
      async (request, reply) =>
        sendFile(reply, await documents.openOriginal(callerOf(request), request.params.id)),
    );

    app.get(
      '/documents/:id/markdown',
      {
        ...transfer,
        schema: {
          ...schema,
          operationId: 'downloadMarkdown',
          summary: 'Its text as Markdown',
          response: attachment('text/markdown'),
        },
      },
      async (request, reply) =>
        sendFile(reply, await documents.openMarkdown(callerOf(request), request.params.id)),
    );
  };
}

function attachment(mediaType: string) {
  return { 200: { description: 'The file', content: { [mediaType]: { schema: bytes } } } };
}

function sendFile(reply: FastifyReply, file: StoredFile): FastifyReply {
  return reply
    .headers({
      'content-type': file.mediaType,
      'content-length': file.sizeBytes,
      'content-disposition': contentDisposition(file.name.replaceAll(/[\\/]/g, '_')),
      // Whatever a document holds, it runs nothing under our origin.
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, no-store',
    })
    .send(file.content);
}
