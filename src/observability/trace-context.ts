/**
 * Where spans belong. A trace's id is the correlation id of its attempt, and the id of its first span follows from it:
 * so a webhook, a sweep or a confirm finds the trace of its document by the row, though no header ever came with it.
 * Without tracing all of this does nothing.
 */
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { currentCorrelationId } from './correlation.ts';

/** Runs `work` in the trace of what it is done for, unless a span is open that it belongs to. */
export function withinTrace<Result>(work: () => Result): Result {
  const correlationId = currentCorrelationId();
  if (correlationId === undefined || trace.getActiveSpan()) return work();
  return context.with(firstSpanOf(correlationId), work);
}

export interface AnsweredRequest {
  readonly name: string;
  readonly correlationId: string;
  /** A request that began an attempt is the first span of its trace; one about another's is a later one. */
  readonly place: 'first' | 'later' | 'alone';
  readonly startedAt: number;
  readonly failed: boolean;
  readonly attributes: Attributes;
}

/** Written when it is answered: only then is it known which document it was about. */
export function recordRequest(request: AnsweredRequest): void {
  const { name, correlationId, place, startedAt, failed, attributes } = request;
  const { traceId, spanId } = spanContextOf(correlationId);
  const parent = place === 'later' ? firstSpanOf(correlationId) : ROOT_CONTEXT;
  wanted = { first: { traceId, spanId }, later: {}, alone: { traceId } }[place];
  const options = { kind: SpanKind.SERVER, startTime: startedAt, attributes };
  const span = trace.getTracer('intake').startSpan(name, options, parent);
  wanted = {};
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

interface SpanIds {
  readonly traceId?: string;
  readonly spanId?: string;
}

let wanted: SpanIds = {};

/** What the span that is being started is to be called; nothing where any id will do. */
export function wantedIds(): SpanIds {
  return wanted;
}

/** A UUID is as long as a trace's id, and half of it as a span's. */
function spanContextOf(correlationId: string) {
  const traceId = correlationId.replaceAll('-', '');
  return { traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

function firstSpanOf(correlationId: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(correlationId));
}
