/** Documents: what became of them and why, and the three commands on them. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { callerOf } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import {
  presentCommand,
  presentDetail,
  presentExplanation,
  presentSummary,
} from '../present-document.ts';
import {
  commandAnswer,
  documentDetail,
  documentPage,
  documentParams,
  explanation,
  listQuery,
} from '../schemas.ts';

const tags = ['Documents'];

export function documentRoutes({ documents }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/documents',
      {
        schema: {
          tags,
          operationId: 'listDocuments',
          summary: 'List documents, newest first',
          querystring: listQuery,
          response: { 200: documentPage },
        },
      },
      async (request) => {
        const { status, unfinished, limit, cursor, idPrefix } = request.query;
        const page = await documents.listDocuments(callerOf(request), {
          status,
          unfinished,
          limit,
          after: cursor,
          idPrefix,
        });
        return { documents: page.documents.map(presentSummary), nextCursor: page.next };
      },
    );

    app.get(
      '/documents/:id',
      {
        schema: {
          tags,
          operationId: 'readDocument',
          summary: 'One document with its timeline',
          params: documentParams,
          response: { 200: documentDetail },
        },
      },
      async (request) =>
        presentDetail(await documents.documentDetail(callerOf(request), request.params.id)),
    );

    app.get(
      '/documents/:id/explanation',
      {
        schema: {
          tags,
          operationId: 'explainDocument',
          summary: 'Why it stands where it stands',
          description:
            'Stage, tries, last error, next try, place in line, deadline, whose turn, what can be done. Operators may ask after anybody’s document.',
          params: documentParams,
          response: { 200: explanation },
        },
      },
      async (request) =>
        presentExplanation(await documents.explainDocument(callerOf(request), request.params.id)),
    );

    const command = { tags, params: documentParams, response: { 202: commandAnswer } };

    app.post(
      '/documents/:id/retry',
      {
        schema: {
          ...command,
          operationId: 'retryDocument',
          summary: 'Start again from the failed stage',
        },
      },
      async (request, reply) => {
        const document = await documents.retryDocument(callerOf(request), request.params.id);
        return reply.code(202).send(presentCommand(document));
      },
    );

    app.post(
      '/documents/:id/cancel',
      {
        schema: { ...command, operationId: 'cancelDocument', summary: 'Stop the running attempt' },
      },
      async (request, reply) => {
        const document = await documents.cancelDocument(callerOf(request), request.params.id);
        return reply.code(202).send(presentCommand(document));
      },
    );

    app.delete(
      '/documents/:id',
      {
        schema: {
          ...command,
          operationId: 'deleteDocument',
          summary: 'Delete the document everywhere',
        },
      },
      async (request, reply) => {
        const document = await documents.deleteDocument(callerOf(request), request.params.id);
        return reply.code(202).send(presentCommand(document));
      },
    );
  };
}
