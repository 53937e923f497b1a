/** What `intake doctor` tries, as a list: each check says what it saw, or what is wrong and how to mend it. */
import { IntakeError } from '../../domain/errors.ts';

/** Why a check failed, in a word that a script may rely on. */
export interface Complaint {
  readonly outcome: string;
  readonly detail: string | undefined;
  readonly mend: string;
}

export interface Check {
  readonly name: string;
  /** Names of checks without whose success this one says nothing. */
  readonly needs?: readonly string[];
  /** Resolves with what it saw; throws what `complaintOf` understands. */
  run(): Promise<string>;
  complaintOf(error: IntakeError): Complaint;
}

export type Finding =
  | { readonly name: string; readonly outcome: 'ok'; readonly fact: string; readonly ms: number }
  | { readonly name: string; readonly outcome: 'not tried'; readonly because: string }
  | ({ readonly name: string; readonly ms: number } & Complaint);

/** One after the other. */
export async function runChecks(checks: readonly Check[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const failed = new Set<string>();
  for (const check of checks) {
    const missing = check.needs?.find((name) => failed.has(name));
    const finding: Finding =
      missing === undefined
        ? await examine(check)
        : { name: check.name, outcome: 'not tried', because: missing };
    if (finding.outcome !== 'ok') failed.add(check.name);
    findings.push(finding);
  }
  return findings;
}

async function examine(check: Check): Promise<Finding> {
  const { name } = check;
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  try {
    return { name, outcome: 'ok', fact: await check.run(), ms: elapsed() };
  } catch (error) {
    if (!(error instanceof IntakeError)) throw error;
    return { name, ms: elapsed(), ...check.complaintOf(error) };
  }
}
