/**
 * One id from the first request about an attempt to its last write: that request's correlation id, kept in the row.
 * Whoever works for the attempt runs in a scope that knows it, and every line that is logged there carries it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Correlation {
  /** `undefined` until the row has been read. */
  correlationId: string | undefined;
  /** Its id was given to a new attempt: this is where that one's story begins. */
  begins: boolean;
}

const scopes = new AsyncLocalStorage<Correlation>();

export function newCorrelation(correlationId?: string): Correlation {
  return { correlationId, begins: false };
}

export function inCorrelation<Result>(correlation: Correlation, work: () => Result): Result {
  return scopes.run(correlation, work);
}

/** From here on, what runs in this scope belongs to `correlationId`. */
export function correlate(correlationId: string, { begins = false } = {}): void {
  const scope = scopes.getStore();
  if (scope) Object.assign(scope, { correlationId, begins });
}

export function currentCorrelationId(): string | undefined {
  return scopes.getStore()?.correlationId;
}

/** For every line of a log. */
export function correlationFields(): { readonly correlationId?: string } {
  const correlationId = currentCorrelationId();
  return correlationId === undefined ? {} : { correlationId };
}
