import { CircuitState } from 'cockatiel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingWindowBreaker } from '../../../src/storage/sliding-window-breaker.ts';

const limits = { maxFailures: 5, windowMs: 60_000 };

describe('SlidingWindowBreaker', () => {
  it('opens exactly when five failures lie within 60 s, whatever succeeds in between', () => {
    const event = fc.record({
      pauseMs: fc.integer({ min: 0, max: 40_000 }),
      fails: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let now = 0;
        const failures: number[] = [];
        const breaker = new SlidingWindowBreaker({ ...limits, now: () => now });
        for (const { pauseMs, fails } of events) {
          now += pauseMs;
          if (!fails) {
            breaker.success(CircuitState.Closed);
            continue;
          }
          failures.push(now);
          const recent = failures.filter((at) => now - at < limits.windowMs);
          expect(breaker.failure()).toBe(recent.length >= limits.maxFailures);
        }
      }),
    );
  });

  it("starts anew after a probe's success", () => {
    const breaker = new SlidingWindowBreaker({ ...limits, now: () => 0 });
    for (let n = 0; n < 5; n += 1) breaker.failure();
    breaker.success(CircuitState.HalfOpen);
    expect([1, 2, 3, 4, 5].map(() => breaker.failure())).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });
});
