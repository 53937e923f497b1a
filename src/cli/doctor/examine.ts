/** Runs checks one after the other and makes findings of them. */
import { type Ailment, type Check, illOf, type Scene } from './check.ts';

export type Finding =
  | { readonly name: string; readonly outcome: 'ok'; readonly fact: string; readonly ms: number }
  | { readonly name: string; readonly outcome: 'not tried'; readonly because: string }
  | {
      readonly name: string;
      readonly outcome: Ailment;
      readonly detail: string;
      readonly mend: string;
      readonly ms: number;
    };

export async function examine(checks: readonly Check[], scene: Scene): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const unproven = new Set<string>();
  for (const check of checks) {
    const because = check.needs?.find((name) => unproven.has(name));
    const finding: Finding =
      because === undefined
        ? await tryOut(check, scene)
        : { name: check.name, outcome: 'not tried', because };
    if (finding.outcome !== 'ok') unproven.add(check.name);
    findings.push(finding);
  }
  return findings;
}

async function tryOut(check: Check, scene: Scene): Promise<Finding> {
  const { name, mend } = check;
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  try {
    return { name, outcome: 'ok', fact: await check.run(scene), ms: elapsed() };
  } catch (error) {
    const { ailment, message: detail } = illOf(error);
    const remedy = mend[ailment] ?? 'This is not foreseen: see the detail.';
    return { name, outcome: ailment, detail, mend: remedy, ms: elapsed() };
  }
}
