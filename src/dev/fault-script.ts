/**
 * Fastify plugin of all stand-ins: plays the fault script and keeps the ledger. A route names its
 * operation by `config: { operation: 'object.read' }`; its handler finds a named effect in `request.fault`.
 * Control: `POST|DELETE /__faults`, `GET|DELETE /__ledger`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { z } from 'zod';
import {
  ANY_CALL,
  createFaultBook,
  type FaultEffect,
  faultRequestSchema,
  type NamedFault,
  type Operations,
  type RecordedCall,
} from './fault-rules.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: string;
    /** Object key, job id, …: what the call is about, for the ledger and for rules with `subject`. */
    subject?: (request: FastifyRequest) => string | undefined;
    /** For rules with `content`; it is not kept. */
    content?: (request: FastifyRequest) => string | undefined;
  }
  interface FastifyRequest {
    fault: NamedFault | undefined;
    recordedCall: { status: number | null; ms?: number } | undefined;
    answerIsLost: boolean;
  }
  interface FastifyInstance {
    /** For work that no request triggers (a webhook's delivery): takes the effects that apply to it. */
    takeFaults(operation: string, subject: string): readonly FaultEffect[];
    /** Writes such work into the ledger. */
    recordCall(call: RecordedCall): void;
  }
}

export interface FaultScriptOptions {
  readonly operations: Operations;
}

async function registerFaultScript(
  app: FastifyInstance,
  { operations }: FaultScriptOptions,
): Promise<void> {
  const book = createFaultBook();
  const requestSchema = faultRequestSchema(operations);
  const closing = new AbortController();
  let calls: RecordedCall[] = [];

  app.decorateRequest('fault', undefined);
  app.decorateRequest('recordedCall', undefined);
  app.decorateRequest('answerIsLost', false);
  app.decorate('takeFaults', (operation, subject) => book.take(operation, { subject }));
  app.decorate('recordCall', (call) => {
    calls.push(call);
  });

  app.addHook('onRoute', ({ config, url }) => {
    const operation = config?.operation;
    if (operation !== undefined && operations[operation] === undefined) {
      throw new Error(`${url}: operation ${operation} is not listed`);
    }
  });
  // Not earlier: the subject may stand in the body.
  app.addHook('preHandler', async (request, reply) => {
    const { operation, subject, content } = request.routeOptions.config;
    if (operation === undefined) return;
    const about = subject?.(request) ?? null;
    const call = { operation, subject: about, at: new Date().toISOString(), status: null };
    request.recordedCall = call;
    calls.push(call);
    const topic = { subject: about, content: content?.(request) };
    const general = book.take(ANY_CALL, topic);
    const answered = general.some(({ kind }) => kind !== 'delay');
    const effects = answered ? general : [...general, ...book.take(operation, topic)];
    await play(effects, { request, reply, signal: closing.signal });
  });
  app.addHook('onSend', async (request, _reply, payload) => {
    if (request.answerIsLost) request.raw.socket.resetAndDestroy();
    return payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    if (request.recordedCall !== undefined && !request.answerIsLost) {
      request.recordedCall.status = reply.statusCode;
      request.recordedCall.ms = reply.elapsedTime;
    }
  });
  app.addHook('preClose', async () => closing.abort());

  app.post('/__faults', async (request, reply) => {
    const parsed = requestSchema.safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) });
    book.add(parsed.data.rules);
    return reply.code(204).send();
  });
  app.delete('/__faults', async (_request, reply) => {
    book.clear();
    return reply.code(204).send();
  });
  app.get('/__ledger', async () => ({ counts: countByOperation(calls), calls }));
  app.delete('/__ledger', async (_request, reply) => {
    calls = [];
    return reply.code(204).send();
  });
}

interface Stage {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}

async function play(effects: readonly FaultEffect[], stage: Stage): Promise<void> {
  const { request, reply, signal } = stage;
  for (const effect of effects) {
    switch (effect.kind) {
      case 'delay':
        await sleep(effect.ms, undefined, { signal });
        break;
      case 'answer':
        await reply.code(effect.status).headers(effect.headers).send(effect.body);
        break;
      case 'reset-before':
        reply.hijack();
        request.raw.socket.resetAndDestroy();
        break;
      case 'reset-after':
        request.answerIsLost = true;
        break;
      case 'hang':
        reply.hijack();
        break;
      case 'named':
        request.fault = effect;
        break;
      default:
        effect satisfies never;
    }
  }
}

function countByOperation(calls: readonly RecordedCall[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation } of calls) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

export const faultScript = fastifyPlugin(registerFaultScript, { name: 'fault-script' });
