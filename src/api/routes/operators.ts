/** For the people who run Intake: what is on its road, and what can be done with anybody's document. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { callerOf, forOperatorsOnly } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentAnswer, presentCommand, presentOperated } from '../present-document.ts';
import {
  askedRequest,
  commandAnswer,
  documentParams,
  extendRequest,
  failRequest,
  operatedPage,
  operatedQuery,
  operatorAnswer,
  runQuery,
} from '../schemas.ts';

const tags = ['Operators'];

export function operatorRoutes({ operators }: ApiDependencies): FastifyPluginAsyncZod {
  return async (app) => {
    forOperatorsOnly(app);

    app.get(
      '/operator/documents',
      {
        schema: {
          tags,
          operationId: 'listRoad',
          summary: 'Everybody’s documents that are on their road',
          querystring: operatedQuery,
          response: { 200: operatedPage },
        },
      },
      async ({ query: { limit, cursor } }) => {
        const page = await operators.onTheRoad({ limit, after: cursor });
        return { documents: page.documents.map(presentOperated), nextCursor: page.next };
      },
    );

    app.get(
      '/operator/runs',
      {
        schema: {
          tags,
          operationId: 'findByRuns',
          summary: 'Documents by a query over their runs',
          description: 'Documents whose present run is found, as their rows stand now.',
          querystring: runQuery,
          response: { 200: operatedPage },
        },
      },
      async ({ query: { query, limit, cursor } }) => {
        const page = await operators.findByRuns(query, { limit, cursor });
        return { documents: page.documents.map(presentOperated), nextCursor: page.next };
      },
    );

    const answered = { tags, params: documentParams, response: { 200: operatorAnswer } };

    app.post(
      '/operator/documents/:id/poll',
      {
        schema: {
          ...answered,
          operationId: 'pollParser',
          summary: 'Ask the parser now',
          body: askedRequest,
        },
      },
      async (request) =>
        presentAnswer(
          await operators.pollParser(callerOf(request), request.params.id, request.body),
        ),
    );

    app.post(
      '/operator/documents/:id/extend',
      {
        schema: {
          ...answered,
          operationId: 'extendDeadline',
          summary: 'Move the deadline of what it waits for away',
          body: extendRequest,
        },
      },
      async (request) =>
        presentAnswer(
          await operators.extendDeadline(callerOf(request), request.params.id, request.body),
        ),
    );

    app.post(
      '/operator/documents/:id/fail',
      {
        schema: {
          ...answered,
          operationId: 'failDocument',
          summary: 'End it as failed, with a reason',
          body: failRequest,
        },
      },
      async (request) =>
        presentAnswer(
          await operators.failDocument(callerOf(request), request.params.id, request.body),
        ),
    );

    const commanded = {
      tags,
      params: documentParams,
      body: askedRequest,
      response: { 202: commandAnswer },
    };

    app.post(
      '/operator/documents/:id/retry',
      {
        schema: {
          ...commanded,
          operationId: 'retryAsOperator',
          summary: 'Start it again from the failed stage',
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const document = await operators.retryDocument(callerOf(request), params.id, body);
        return reply.code(202).send(presentCommand(document));
      },
    );

    app.post(
      '/operator/documents/:id/cancel',
      {
        schema: {
          ...commanded,
          operationId: 'cancelAsOperator',
          summary: 'Stop its running attempt',
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const document = await operators.cancelDocument(callerOf(request), params.id, body);
        return reply.code(202).send(presentCommand(document));
      },
    );
  };
}
