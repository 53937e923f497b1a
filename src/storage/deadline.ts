/** A signal that fires when the time is up or the caller's own signal fires. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Counts again from now: a transfer may take longer than the wait for its first byte. */
  restart(timeoutMs: number): void;
  /** Stops the clock and lets go of whatever still runs under the signal. */
  end(): void;
}

/** Made once: a fresh one for every call would gather a stack each time. */
const ended = new DOMException('the call has ended', 'AbortError');

export function startDeadline(timeoutMs: number, callerSignal: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const expire = () => controller.abort(new DOMException('deadline exceeded', 'TimeoutError'));
  let timer = setTimeout(expire, timeoutMs);
  return {
    signal:
      callerSignal === undefined
        ? controller.signal
        : AbortSignal.any([callerSignal, controller.signal]),
    restart(nextTimeoutMs) {
      clearTimeout(timer);
      timer = setTimeout(expire, nextTimeoutMs);
    },
    end() {
      clearTimeout(timer);
      controller.abort(ended);
    },
  };
}
