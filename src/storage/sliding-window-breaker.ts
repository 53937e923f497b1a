/**
 * When the circuit opens: `maxFailures` failures within `windowMs`, whatever succeeded in between.
 * cockatiel's own breakers count consecutive failures or shares of calls.
 */
import { CircuitState, type IBreaker } from 'cockatiel';

export interface SlidingWindowOptions {
  readonly maxFailures: number;
  readonly windowMs: number;
  readonly now?: () => number;
}

export class SlidingWindowBreaker implements IBreaker {
  /** Instants of the failures still in the window, oldest first. */
  state: number[] = [];
  readonly #maxFailures: number;
  readonly #windowMs: number;
  readonly #now: () => number;

  constructor({ maxFailures, windowMs, now = Date.now }: SlidingWindowOptions) {
    this.#maxFailures = maxFailures;
    this.#windowMs = windowMs;
    this.#now = now;
  }

  /** Only a probe's success wipes the slate. */
  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.state = [];
  }

  failure(): boolean {
    const now = this.#now();
    this.state = this.state.filter((at) => at > now - this.#windowMs);
    this.state.push(now);
    return this.state.length >= this.#maxFailures;
  }
}
