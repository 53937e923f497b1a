/**
 * The oracle: after whatever was done to Intake, do all twelve invariants hold? It reads the database, the object store,
 * the vendors' ledgers and Temporal from outside, when work has come to rest. Each violation is named with its ids.
 */
import { bytesChecks } from './bytes-checks.ts';
import { paymentChecks } from './payment-checks.ts';
import { privacyChecks } from './privacy-checks.ts';
import { rowChecks } from './row-checks.ts';
import { runChecks } from './run-checks.ts';
import type { Check, Scene } from './scene.ts';
import { searchChecks } from './search-checks.ts';

export interface Violation {
  readonly invariant: number;
  readonly check: string;
  readonly what: string;
}

export const checks: readonly Check[] = [
  ...rowChecks,
  ...bytesChecks,
  ...paymentChecks,
  ...runChecks,
  ...privacyChecks,
  ...searchChecks,
].toSorted((a, b) => a.invariant - b.invariant);

export async function askOracle(scene: Scene): Promise<readonly Violation[]> {
  const violations: Violation[] = [];
  for (const { invariant, name, find } of checks) {
    for (const what of await find(scene)) violations.push({ invariant, check: name, what });
  }
  return violations;
}
