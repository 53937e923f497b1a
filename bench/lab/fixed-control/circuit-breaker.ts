/** The guide's `FileAccessCircuitBreaker` (2.2), with its habit of letting everyone in when half open. */

const FAILURE_THRESHOLD = 5;

export class FileAccessCircuitBreaker {
  readonly #recoveryMs: number;
  #failures = 0;
  #lastFailureAtMs = 0;
  #state: 'closed' | 'open' | 'half-open' = 'closed';

  constructor(recoveryMs: number) {
    this.#recoveryMs = recoveryMs;
  }

  isOpen(): boolean {
    if (this.#state !== 'open') return false;
    if (Date.now() - this.#lastFailureAtMs <= this.#recoveryMs) return true;
    this.#state = 'half-open';
    return false;
  }

  recordSuccess(): void {
    this.#failures = 0;
    this.#state = 'closed';
  }

  recordFailure(): void {
    this.#failures += 1;
    this.#lastFailureAtMs = Date.now();
    if (this.#failures >= FAILURE_THRESHOLD) this.#state = 'open';
  }
}
