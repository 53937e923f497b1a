/** How a person or a system asks to stop: the first signal drains, a second one means at once. */

export interface StopSignals {
  readonly first: Promise<NodeJS.Signals>;
  readonly second: Promise<void>;
}

/**
 * npm, a shell and a terminal may each pass on the same Ctrl-C. One press reaches us within a few
 * milliseconds as several signals, and only a later one is a second.
 */
const SAME_PRESS_MS = 500;

export function listenForStop(): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<void>();
  let firstAtMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAtMs === undefined) {
        firstAtMs = Date.now();
        first.resolve(signal);
      } else if (Date.now() - firstAtMs > SAME_PRESS_MS) {
        second.resolve();
      }
    });
  }
  return { first: first.promise, second: second.promise };
}
